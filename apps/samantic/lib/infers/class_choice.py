"""Which classes a request may ask for: those of the vocabulary that the loaded model knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from samantic.app.lib.infers.wire import RequestError
from samantic.vocabulary import TextEncoderError, UnknownClassError, Vocabulary, embed_text, load_text_embeddings

MAX_TEXT = 300


class ClassChoice:
    """Resolves names, synonyms, codes and free text to the classes that one model knows. Source: ours."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        known: Sequence[str],
        embed: Callable[[Sequence[str]], np.ndarray] = embed_text,
    ) -> None:
        self.vocabulary = vocabulary
        self.names = frozenset(known)
        self._embed = embed

    def asked(self, names: Sequence[str], text: str | None) -> tuple[str, ...]:
        """Return the candidate classes of a request in its order, the one that `text` means last.

        Raises RequestError or UnknownClassError.
        """
        classes = [self.known(name) for name in names]
        for earlier, name in enumerate(classes):
            if name in classes[:earlier]:
                raise RequestError(f"'classes' names {name} twice; each class can have one value in the mask.")
        if text is not None:
            meant = self._meant_by(text)
            if meant not in classes:
                classes.append(meant)
        return tuple(classes)

    def known(self, name: str) -> str:
        """Return the unique name of a class that the model knows; raises UnknownClassError with the nearest ones."""
        if name in self.names:  # a class that a person described is in no vocabulary
            return name
        found = self.vocabulary.find(name).name
        if found not in self.names:
            nearest = [other for other in self.vocabulary.suggest(found, 20) if other in self.names][:3]
            hint = f" ({', '.join(nearest)}, for example, it does)" if nearest else ""
            raise UnknownClassError(
                f"The loaded model does not know the class '{found}'{hint}; /info/ lists its labels."
            )
        return found

    def _meant_by(self, text: str) -> str:
        if len(text) > MAX_TEXT:
            raise RequestError(f"'text' has {len(text)} characters; at most {MAX_TEXT} are read.")
        if text in self.names:
            return text
        try:
            in_vocabulary = self.vocabulary.find(text)
        except UnknownClassError:
            return self._nearest_to(text)
        return self.known(in_vocabulary.name)

    def _nearest_to(self, text: str) -> str:
        try:
            wanted = self._embed([text])[0]
        except TextEncoderError as error:
            raise RequestError(str(error)) from error
        return load_text_embeddings().nearest(wanted, self.names)
