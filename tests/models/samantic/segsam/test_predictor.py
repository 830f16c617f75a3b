from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from samantic.sam import EmbeddingCache
from samantic.segsam import Look, ObjectPrediction, SegSam, SegSamConfig, SegSamPredictor, ViewPrompts, save_network
from samantic.segsam.clicked_parts import clicked_parts
from samantic.segsam.encoder_hash import encoder_hash
from samantic.segsam.prompt_batch import PromptBatch
from samantic.segsam.semantic_agnostic_decoder import BinaryMasks
from samantic.segsam.semantic_aware_decoder import SemanticMasks


def _same(first: ObjectPrediction, second: ObjectPrediction) -> bool:
    return (
        np.array_equal(first.mask_logits, second.mask_logits)
        and torch.equal(first.low_res_logits.logits, second.low_res_logits.logits)
        and first.low_res_logits.look == second.low_res_logits.look
        and first.class_probabilities == second.class_probabilities
        and first.presence == second.presence
    )


@contextmanager
def _encoder_passes(predictor: SegSamPredictor) -> Iterator[list[int]]:
    passes: list[int] = []
    handle = predictor.network.encoder.register_forward_hook(lambda *_: passes.append(1))
    yield passes
    handle.remove()


class TestAnswer:
    def test_an_answer_has_the_pictures_size_and_all_its_fields(self, predictor, picture, clicked):
        prompts = clicked((30, 20))
        (answer,) = predictor.decode(predictor.encode(picture), [prompts])
        assert answer.mask.shape == (40, 60) and answer.mask.dtype == bool
        assert answer.mask_logits.shape == (40, 60) and answer.mask_logits.dtype == np.float32
        assert np.array_equal(answer.mask, clicked_parts(answer.mask_logits > 0, prompts))
        assert answer.low_res_logits.logits.shape == (1, 32, 32)
        assert answer.low_res_logits.look == Look(0, 0, 60, 40)
        assert 0 <= answer.predicted_iou <= 1
        assert answer.candidates == ()

    def test_many_objects_are_answered_in_their_order_as_if_each_were_alone(self, predictor, picture, clicked):
        features = predictor.encode(picture)
        alone = predictor.decode(features, [clicked((50, 10))])[0]
        objects = [
            clicked((5, 5)),
            clicked(box=(10, 8, 50, 30)),
            clicked((20, 30), (40, 12), (33, 3), box=(1, 1, 55, 38)),
            clicked((9, 30)).refining(alone.low_res_logits),
            ViewPrompts(np.zeros((0, 2)), np.zeros(0, dtype=int), mask=alone.mask),
        ]
        for together, prompts in zip(predictor.decode(features, objects), objects, strict=True):
            (single,) = predictor.decode(features, [prompts])
            np.testing.assert_allclose(together.mask_logits, single.mask_logits, atol=1e-4)
            assert together.class_probabilities == pytest.approx(single.class_probabilities, abs=1e-5)
            assert together.presence == pytest.approx(single.presence, abs=1e-5)

    def test_clicks_and_boxes_reach_the_network_where_they_are_in_the_picture(self, predictor, picture):
        seen: list[PromptBatch] = []
        predictor.network.prompt_encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        prompts = ViewPrompts(np.array([(59.0, 0.0), (10.0, 20.0)]), np.array([1, 0]), (0, 10, 60, 40))
        predictor.decode(predictor.encode(picture), [prompts])
        # 60 columns fill 64 pixels; 40 rows take 43, with 10 above them.
        across, down = 64 / 60, 43 / 40
        expected = [
            (59.5 * across - 0.5, 10 + 0.5 * down - 0.5),
            (10.5 * across - 0.5, 10 + 20.5 * down - 0.5),
            (-0.5, 10 + 10 * down - 0.5),
            (63.5, 52.5),
        ]
        np.testing.assert_allclose(seen[0].points_xy[0], expected, atol=1e-4)
        assert seen[0].point_labels.tolist() == [[1, 0, 2, 3]]
        assert not seen[0].has_mask.any()

    def test_no_prompts_get_no_answers(self, predictor, picture):
        assert predictor.decode(predictor.encode(picture), []) == []

    def test_refinement_changes_the_mask(self, predictor, picture, clicked):
        features = predictor.encode(picture)
        (first,) = predictor.decode(features, [clicked((30, 20))])
        (second,) = predictor.decode(features, [clicked((30, 20)).refining(first.low_res_logits)])
        assert np.abs(first.mask_logits - second.mask_logits).max() > 1e-3
        assert (first.mask != second.mask).any()

    def test_a_drawn_mask_counts_and_an_earlier_answer_goes_before_it(self, predictor, picture, clicked):
        features = predictor.encode(picture)
        drawn = np.zeros((40, 60), dtype=bool)
        drawn[10:30, 10:30] = True
        (plain,) = predictor.decode(features, [clicked((30, 20))])
        with_mask = replace(clicked((30, 20)), mask=drawn)
        (masked,) = predictor.decode(features, [with_mask])
        assert np.abs(masked.mask_logits - plain.mask_logits).max() > 1e-3
        both, refined = predictor.decode(
            features, [with_mask.refining(plain.low_res_logits), clicked((30, 20)).refining(plain.low_res_logits)]
        )
        assert np.array_equal(both.mask_logits, refined.mask_logits)

    def test_the_spacing_decides_how_the_picture_is_scaled(self, predictor, picture, clicked):
        (square,) = predictor.decode(predictor.encode(picture), [clicked((30, 20))])
        (stretched,) = predictor.decode(predictor.encode(picture, (3.0, 1.0)), [clicked((30, 20))])
        assert stretched.mask.shape == (40, 60)
        assert np.abs(square.mask_logits - stretched.mask_logits).max() > 1e-3

    def test_alternatives_come_best_first_and_do_not_change_the_answer(self, predictor, picture, clicked):
        features = predictor.encode(picture)
        (plain,) = predictor.decode(features, [clicked((30, 20))])
        (several,) = predictor.decode(features, [clicked((30, 20))], multimask=True)
        assert _same(plain, several)
        assert len(several.candidates) == 3
        scores = [score for _, score in several.candidates]
        assert scores == sorted(scores, reverse=True)
        assert all(mask.shape == (40, 60) and mask.dtype == bool for mask, _ in several.candidates)
        assert len({mask.tobytes() for mask, _ in several.candidates}) == 3

    @pytest.mark.parametrize("shape", [(1, 50), (50, 1), (1, 1), (3, 900)])
    def test_the_thinnest_pictures_are_answered(self, shape, predictor, clicked):
        thin = np.full((*shape, 3), 128, dtype=np.uint8)
        (answer,) = predictor.decode(predictor.encode(thin), [clicked((0, 0), box=(0, 0, shape[1], shape[0]))])
        assert answer.mask_logits.shape == shape
        assert np.isfinite(answer.mask_logits).all()

    @pytest.mark.parametrize(
        "wrong",
        [
            np.zeros((4, 4, 3), dtype=np.float32),
            np.zeros((4, 4), dtype=np.uint8),
            np.zeros((4, 4, 4), dtype=np.uint8),
            np.zeros((4, 4, 3), dtype=np.uint16),
        ],
    )
    def test_a_picture_that_is_not_8_bit_colour_is_refused_naming_what_it_is(self, wrong, predictor):
        with pytest.raises(ValueError, match=r"is \(rows, cols, 3\) uint8, not") as refusal:
            predictor.encode(wrong)
        assert str(wrong.shape) in str(refusal.value) and str(wrong.dtype) in str(refusal.value)

    def test_a_picture_without_pixels_is_refused(self, predictor):
        with pytest.raises(ValueError, match="at least one row"):
            predictor.encode(np.zeros((0, 5, 3), dtype=np.uint8))


class TestNames:
    def test_the_probabilities_of_the_asked_classes_alone_sum_to_one(self, predictor, picture, clicked):
        features = predictor.encode(picture)
        for asked in (None, ["liver"], ["skin_lesion", "liver", "kidney_left"], ["liver", "skin_lesion", "liver"]):
            (answer,) = predictor.decode(features, [clicked((30, 20))], classes=asked)
            assert list(answer.class_probabilities) == list(dict.fromkeys(asked or predictor.class_names))
            assert sum(answer.class_probabilities.values()) == pytest.approx(1, abs=1e-5)
            assert answer.predicted_class == max(answer.class_probabilities, key=answer.class_probabilities.get)

    def test_presence_tells_of_every_other_class_that_the_model_knows(self, predictor, picture, clicked):
        (answer,) = predictor.decode(predictor.encode(picture), [clicked((30, 20))], classes=["liver", "breast_lesion"])
        assert set(answer.presence) == set(predictor.class_names) - {answer.predicted_class}
        assert all(0 <= value <= 1 for value in answer.presence.values())

    def test_an_unknown_class_is_refused_naming_it_and_those_that_are_known(self, predictor, picture, clicked):
        with pytest.raises(ValueError, match=r"does not know the class 'lever'.*liver.*hippocampus_anterior"):
            predictor.decode(predictor.encode(picture), [clicked((30, 20))], classes=["liver", "lever"])

    def test_the_name_is_that_of_the_class_whose_map_is_brightest_on_the_object(self, predictor, picture, clicked):
        def left_half(_module, _inputs, output: BinaryMasks) -> BinaryMasks:
            logits = torch.full_like(output.mask_logits, -20.0)
            logits[..., :16] = 20.0
            return BinaryMasks(logits, output.predicted_iou)

        def liver_left_lesion_right(_module, _inputs, output: SemanticMasks) -> SemanticMasks:
            logits = torch.zeros_like(output.semantic_logits)
            half = logits.shape[-1] // 2
            logits[:, 1 + predictor.class_names.index("liver"), :, :half] = 5.0
            logits[:, 1 + predictor.class_names.index("skin_lesion"), :, half:] = 9.0
            logits[:, 0] = 30.0  # background never takes part
            present = torch.tensor([[-3.0, -2.0, 0.0, 2.0, 3.0]])
            return SemanticMasks(logits, present)

        predictor.network.mask_decoder.register_forward_hook(left_half)
        predictor.network.semantic_decoder.register_forward_hook(liver_left_lesion_right)
        features = predictor.encode(picture)
        (answer,) = predictor.decode(features, [clicked((3, 3))])
        assert answer.predicted_class == "liver"
        assert answer.class_probabilities["liver"] > 0.9
        expected = torch.sigmoid(torch.tensor([-2.0, 0.0, 2.0, 3.0])).tolist()
        assert list(answer.presence) == list(predictor.class_names[1:])
        assert list(answer.presence.values()) == pytest.approx(expected)
        (asked,) = predictor.decode(features, [clicked((3, 3))], classes=["skin_lesion", "kidney_left"])
        assert asked.class_probabilities == pytest.approx({"skin_lesion": 0.5, "kidney_left": 0.5}, abs=1e-3)

    def test_an_empty_mask_still_gets_a_name(self, predictor, picture, clicked):
        def nothing(_module, _inputs, output: BinaryMasks) -> BinaryMasks:
            return BinaryMasks(torch.full_like(output.mask_logits, -1000.0), output.predicted_iou)

        predictor.network.mask_decoder.register_forward_hook(nothing)
        (answer,) = predictor.decode(predictor.encode(picture), [clicked((30, 20))])
        assert not answer.mask.any()
        assert sum(answer.class_probabilities.values()) == pytest.approx(1, abs=1e-5)

    def test_a_network_without_the_semantic_path_gives_masks_without_names(self, picture, clicked):
        config = SegSamConfig(
            ("liver",), encoder="small", so_token=False, co_tokens=False, text_to_vision=False, transformer_mlp_dim=64
        )
        predictor = SegSamPredictor(SegSam(config), "hash", device="cpu")
        (answer,) = predictor.decode(predictor.encode(picture), [clicked((30, 20))])
        assert answer.mask.shape == (40, 60)
        assert (answer.class_probabilities, answer.predicted_class, answer.presence) == ({}, "", {})


class TestSecondLook:
    @pytest.fixture
    def looking_twice(self, config, network) -> SegSamPredictor:
        twice = SegSam(replace(config, look_size=64, look_width=4))
        twice.load_state_dict(network.state_dict(), strict=False)
        return SegSamPredictor(twice, "hash of the weights", device="cpu")

    @pytest.fixture
    def wide(self) -> np.ndarray:
        """Noise, 200 rows and 300 columns."""
        return np.random.default_rng(1).integers(0, 256, size=(200, 300, 3), dtype=np.uint8)

    def test_masks_come_from_the_look_and_nothing_is_found_outside_of_it(self, looking_twice, wide, clicked):
        (answer,) = looking_twice.decode(looking_twice.encode(wide), [clicked(box=(100, 80, 140, 110))])
        assert answer.low_res_logits.look == Look(86, 61, 154, 129)
        outside = np.ones((200, 300), dtype=bool)
        outside[61:129, 86:154] = False
        assert not answer.mask[outside].any()
        assert (answer.mask_logits[outside] == -20).all() and (answer.mask_logits[~outside] != -20).any()
        assert 0 <= answer.predicted_iou <= 1

    def test_names_come_from_the_whole_picture_and_the_mask_of_the_look(self, looking_twice, wide, clicked):
        def liver_left_lesion_right(_module, _inputs, output: SemanticMasks) -> SemanticMasks:
            logits = torch.zeros_like(output.semantic_logits)
            half = logits.shape[-1] // 2
            logits[:, 1 + looking_twice.class_names.index("liver"), :, :half] = 9.0
            logits[:, 1 + looking_twice.class_names.index("skin_lesion"), :, half:] = 9.0
            return SemanticMasks(logits, output.presence_logits)

        def everything(_module, _inputs, output: torch.Tensor) -> torch.Tensor:
            return torch.full_like(output, 20.0)

        looking_twice.network.semantic_decoder.register_forward_hook(liver_left_lesion_right)
        looking_twice.network.look_network.register_forward_hook(everything)
        features = looking_twice.encode(wide)
        left, right = looking_twice.decode(features, [clicked(box=(50, 80, 90, 110)), clicked(box=(210, 80, 250, 110))])
        assert (left.predicted_class, right.predicted_class) == ("liver", "skin_lesion")

    def test_the_semantic_path_is_shown_what_the_look_found_on_the_whole_picture(self, looking_twice, wide, clicked):
        seen: list[PromptBatch] = []
        looking_twice.network.prompt_encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        looking_twice.network.look_network.register_forward_hook(lambda *args: torch.full_like(args[-1], 20.0))
        looking_twice.decode(looking_twice.encode(wide), [clicked(box=(100, 80, 140, 110))])
        (prompts,) = seen
        # 300 columns fill the 64 pixels and 32 cells; 200 rows take 43 pixels, with 10 above them.
        across, down = 64 / 300, 43 / 200
        expected = [(100 * across - 0.5, 10 + 80 * down - 0.5), (140 * across - 0.5, 10 + 110 * down - 0.5)]
        np.testing.assert_allclose(prompts.points_xy[0], expected, atol=1e-4)
        assert prompts.has_mask.tolist() == [True]
        rows, columns = (np.flatnonzero((prompts.mask_logits[0, 0] > 0).any(dim=axis)) for axis in (1, 0))
        # The look spans the columns 86 to 153 and the rows 61 to 128.
        assert [columns[0], columns[-1] + 1] == pytest.approx([86 * across / 2, 154 * across / 2], abs=1)
        assert [rows[0], rows[-1] + 1] == pytest.approx([5 + 61 * down / 2, 5 + 129 * down / 2], abs=1)

    def test_a_look_costs_no_encoder_pass_and_a_correction_starts_from_it(self, looking_twice, wide, clicked):
        features = looking_twice.encode(wide)
        with _encoder_passes(looking_twice) as passes:
            box = (100, 80, 140, 110)
            (first,) = looking_twice.decode(features, [clicked(box=box)])
            (second,) = looking_twice.decode(features, [clicked((120, 90), box=box).refining(first.low_res_logits)])
        assert not passes
        assert first.low_res_logits.look == second.low_res_logits.look
        assert np.abs(first.mask_logits - second.mask_logits).max() > 1e-3

    def test_the_first_decoder_is_only_asked_for_alternatives(self, looking_twice, wide, clicked):
        calls: list[int] = []
        looking_twice.network.mask_decoder.register_forward_hook(lambda *_: calls.append(1))
        features = looking_twice.encode(wide)
        (plain,) = looking_twice.decode(features, [clicked((150, 100))])
        assert not calls
        (several,) = looking_twice.decode(features, [clicked((150, 100))], multimask=True)
        assert len(calls) == 1
        assert _same(plain, several) and len(several.candidates) == 3

    def test_another_look_network_does_not_change_the_embedding(self, predictor, looking_twice, wide):
        first, second = (one.encode(wide).maps for one in (predictor, looking_twice))
        assert all(torch.equal(first[name], second[name]) for name in first)


class TestLikeSam:
    def test_set_image_and_predict_answer_like_encode_and_decode(self, predictor, picture, clicked):
        prompts = [clicked((30, 20)), clicked(box=(3, 4, 50, 30))]
        predictor.set_image(picture, (2.0, 1.0))
        expected = predictor.decode(predictor.encode(picture, (2.0, 1.0)), prompts, ["liver", "skin_lesion"], True)
        for _ in range(2):
            found = predictor.predict(prompts, ["liver", "skin_lesion"], multimask=True)
            assert all(_same(*pair) for pair in zip(found, expected, strict=True))
            assert all(len(answer.candidates) == 3 for answer in found)

    def test_many_answers_cost_one_encoder_pass(self, predictor, picture, clicked):
        with _encoder_passes(predictor) as passes:
            predictor.set_image(picture)
            for x in range(4):
                predictor.predict([clicked((x, 20))])
        assert len(passes) == 1

    def test_predict_before_set_image_is_refused(self, predictor, clicked):
        with pytest.raises(RuntimeError, match="call set_image"):
            predictor.predict([clicked((30, 20))])


class TestCache:
    def test_the_second_request_costs_no_encoder_pass_and_gives_the_identical_answer(
        self, network, picture, clicked, tmp_path: Path
    ):
        answers = []
        for fresh_memory in (False, True):
            with EmbeddingCache(tmp_path) as cache:
                predictor = SegSamPredictor(network, "hash", device="cpu", cache=cache)
                key = predictor.embedding_key("picture", "axis2-slice0", "rgb")
                with _encoder_passes(predictor) as passes:
                    for _ in range(2):
                        features = predictor.embed(picture, (1.0, 1.0), key)
                        answers.append(predictor.decode(features, [clicked((30, 20))])[0])
                assert len(passes) == (0 if fresh_memory else 1)
        assert all(_same(answers[0], other) for other in answers[1:])
        (uncached,) = predictor.decode(predictor.encode(picture), [clicked((30, 20))])
        np.testing.assert_allclose(answers[0].mask_logits, uncached.mask_logits, atol=0.1)

    def test_another_picture_is_encoded_anew(self, network, picture):
        with EmbeddingCache(None) as cache:
            predictor = SegSamPredictor(network, "hash", device="cpu", cache=cache)
            with _encoder_passes(predictor) as passes:
                for name, image in (("picture", picture), ("negative", 255 - picture)):
                    predictor.embed(image, (1.0, 1.0), predictor.embedding_key(name, "axis2-slice0", "rgb"))
        assert len(passes) == 2

    def test_embeddings_outlive_new_weights_after_the_encoder_but_not_those_of_the_encoder(self, network):
        def key(weights: str) -> str:
            return SegSamPredictor(network, weights, device="cpu").embedding_key("picture", "view", "rgb").digest

        before = key("one")
        with torch.no_grad():
            network.semantic_decoder.so_token.weight.add_(1)
        assert key("other") == before
        with torch.no_grad():
            next(network.encoder.parameters())[0].add_(1e-3)
        assert key("other") != before

    def test_embeddings_of_another_input_size_have_other_keys(self, network):
        assert encoder_hash(network.encoder, 64) != encoder_hash(network.encoder, 128)

    def test_without_a_cache_embedding_is_encoding(self, predictor, picture):
        key = predictor.embedding_key("picture", "axis2-slice0", "rgb")
        embedded, encoded = predictor.embed(picture, (1.0, 1.0), key), predictor.encode(picture)
        assert embedded.maps.keys() == encoded.maps.keys()
        assert all(torch.equal(embedded.maps[name], encoded.maps[name]) for name in encoded.maps)


def test_threads_with_different_pictures_get_their_own_answers(predictor, picture, clicked):
    pictures = [picture, np.ascontiguousarray(255 - picture[:, :33]), np.ascontiguousarray(picture[::-1, ::2])]
    prompts = [[clicked((5 + row, 7)), clicked(box=(2, 2, 20, 11 + row))] for row in range(3)]

    def ask(number: int) -> list[ObjectPrediction]:
        return predictor.decode(predictor.encode(pictures[number % 3]), prompts[number % 3])

    expected = [ask(number) for number in range(3)]
    with ThreadPoolExecutor(max_workers=3) as threads:
        for number, answers in enumerate(threads.map(ask, range(12))):
            for found, wanted in zip(answers, expected[number % 3], strict=True):
                assert found.mask.shape == wanted.mask.shape
                np.testing.assert_allclose(found.mask_logits, wanted.mask_logits, atol=1e-5)
                assert found.class_probabilities == pytest.approx(wanted.class_probabilities, abs=1e-5)


def test_a_predictor_from_a_file_is_known_by_its_weights(network, tmp_path: Path, picture, clicked):
    save_network(network, tmp_path / "one.safetensors")
    first = SegSamPredictor.from_checkpoint(tmp_path / "one.safetensors", device="cpu")
    with torch.no_grad():
        network.semantic_decoder.so_token.weight.add_(1)
    save_network(network, tmp_path / "other.safetensors")
    second = SegSamPredictor.from_checkpoint(tmp_path / "other.safetensors", device="cpu")
    assert first.weights_hash != second.weights_hash
    assert (first.encoder_name, first.image_size, first.class_names) == ("small", 64, network.config.class_names)
    assert first.decode(first.encode(picture), [clicked((30, 20))])[0].mask.shape == (40, 60)
