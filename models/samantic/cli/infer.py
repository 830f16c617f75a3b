"""`samantic infer`: prompts or a class list -> mask file, overlay picture and a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from samantic.cli.plain_errors import plain_errors

if TYPE_CHECKING:
    from samantic.cli.lesion import LesionReply
    from samantic.cli.segment import Answer
    from samantic.cli.student import StudentReply
    from samantic.segsam import ObjectPrediction

MASK_SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha", ".png")  # .seg.nrrd ends with .nrrd
MODALITIES = ("CT", "MR", "US", "RGB")
ALSO_PRESENT = 0.5
STRANGE = "This picture is unlike anything that the model was trained on; check the mask, and do not rely on the class."


def infer(
    image: Annotated[Path, typer.Argument(help="NIfTI, NRRD, MetaImage, PNG, JPEG, BMP, or a folder with DICOM.")],
    point: Annotated[
        list[str] | None, typer.Option(help="Voxel i,j,k in the object (x,y in a photograph); may be repeated.")
    ] = None,
    negative: Annotated[
        list[str] | None, typer.Option(help="Voxel that is not in the object; may be repeated.")
    ] = None,
    box: Annotated[
        list[str] | None,
        typer.Option(
            help="x0,x1,y0,y1,z0,z1 around an object, half-open; four numbers in a photograph or with --slice; "
            "repeated: several objects."
        ),
    ] = None,
    classes: Annotated[
        str, typer.Option(help="Comma-separated names that the answer may have; without prompts: what to look for.")
    ] = "",
    text: Annotated[str | None, typer.Option(help="The class in words, e.g. 'the left kidney'.")] = None,
    slice_index: Annotated[
        int | None, typer.Option("--slice", min=0, help="Slice along the axis; otherwise that of the prompts.")
    ] = None,
    axis: Annotated[int, typer.Option(min=0, max=2, help="Voxel axis across the slices: 0 i, 1 j, 2 k.")] = 2,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Mask file: .nii.gz, .seg.nrrd, .nrrd, .mha or .png.")
    ] = None,
    overlay: Annotated[Path | None, typer.Option(help="Picture (.png) of the slice with the mask over it.")] = None,
    window: Annotated[
        str | None, typer.Option(help="ct, soft_tissue, lung, bone, brain or percentile; otherwise by modality.")
    ] = None,
    modality: Annotated[
        str | None, typer.Option(help="CT, MR, US or RGB, where the file does not say.", case_sensitive=False)
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            help="Bundled model; `samantic models list` shows them. besadiff: the lesion in a photograph. breast, "
            "skin-photo, student, or a .safetensors file of one of them: the whole image, without a prompt."
        ),
    ] = "segsam-tiny",
    device: Annotated[str | None, typer.Option(help="cpu or cuda; otherwise the GPU if there is one.")] = None,
) -> None:
    """Segment one slice of an image, here and now, without a server.

    [bold]Click[/bold]: samantic infer ct.nii.gz --point 45,70,66 -o mask.nii.gz --overlay overlay.png

    [bold]Correct and name[/bold]: samantic infer ct.nii.gz --point 45,70,66 --negative 80,40,66 --classes liver,spleen

    [bold]Box in a photograph[/bold]: samantic infer mole.jpg --box 120,380,90,310 -o mask.png

    [bold]Look for classes[/bold]: samantic infer ct.nii.gz --classes liver,spleen,aorta --slice 66 -o mask.seg.nrrd

    [bold]The lesion in a photograph of skin[/bold]: samantic infer mole.jpg --model besadiff -o mask.png

    [bold]A whole image, fast[/bold]: samantic infer mr.nii.gz --model student -o mask.nii.gz

    [bold]A breast ultrasound[/bold]: samantic infer scan.png --model breast -o mask.png
    """
    _check(image, output, overlay)
    console = Console()
    with console.status("Starting") as status:
        from samantic.cli.lesion import MODELS, segment_lesion
        from samantic.cli.segment import Request, segment
        from samantic.cli.student import is_student, segment_by_student
        from samantic.cli.whole_picture import is_of_breast, is_of_skin, read_breast_picture, segment_skin

        request = Request(
            image=image,
            points=tuple(point or ()),
            negatives=tuple(negative or ()),
            boxes=tuple(box or ()),
            classes=classes,
            text=text,
            axis=axis,
            slice_index=slice_index,
            window=window,
            modality=_modality(modality),
            model=model,
            device=device,
        )
        with plain_errors(*_refusals()):
            lesion, student, answer, picture = None, None, None, None
            if model in MODELS:
                lesion = segment_lesion(request, status.update)
            elif is_of_breast(model):
                picture = read_breast_picture(request, status.update)
            elif is_of_skin(model):
                picture = segment_skin(request, status.update)
            elif is_student(model):
                student = segment_by_student(request, status.update)
            else:
                answer = segment(request, status.update)
            whole = lesion or picture
            drawn = student or answer or (whole.answer if whole is not None else None)
            if drawn is not None and output is not None:
                drawn.write_mask(output)
            if drawn is not None and overlay is not None:
                drawn.write_overlay(overlay)
    if lesion is not None:
        _report_lesion(console, lesion)
    if student is not None:
        _report_student(console, student)
    if picture is not None:
        console.print(*picture.told, sep="\n", highlight=False, markup=False)
    if answer is not None:
        _report(console, answer)
    for path in (output, overlay):
        if path is not None:
            console.print(f"Written: {path}", markup=False, highlight=False, soft_wrap=True)


def _refusals() -> tuple[type[Exception], ...]:
    from samantic.vocabulary import TextEncoderError

    # ValueError covers what prompts, images, windows, views, classes and checkpoints refuse; OSError, files.
    return ValueError, OSError, TextEncoderError


def _check(image: Path, output: Path | None, overlay: Path | None) -> None:
    """Refuse before anything is loaded what could not be read or written afterwards."""
    if not image.exists():
        raise typer.BadParameter(f"There is no file or folder '{image}'.")
    for option, path, suffixes in (("--output", output, MASK_SUFFIXES), ("--overlay", overlay, (".png",))):
        if path is None:
            continue
        if not path.name.lower().endswith(suffixes):
            raise typer.BadParameter(f"{option} '{path.name}' must end with {', '.join(suffixes)}.")
        if not path.absolute().parent.is_dir():
            raise typer.BadParameter(f"{option}: there is no folder '{path.parent}'.")


def _modality(named: str | None) -> Any:
    if named is not None and named.upper() not in MODALITIES:
        raise typer.BadParameter(f"--modality is '{named}', but it must be one of {', '.join(MODALITIES)}.")
    return None if named is None else named.upper()


def _report(console: Console, answer: Answer) -> None:
    photograph = answer.volume.kind == "photograph"
    place = (
        "photograph" if photograph else f"{answer.view.plane} slice {answer.view.index} along axis {answer.view.axis}"
    )
    console.print(f"{answer.volume.modality}, {place}", highlight=False)
    if not answer.predictions:
        console.print("Nothing was found; give a point or a box, or other classes.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("value", "class", "probability", "quality", "pixels", "next likely"):
        justify: Any = "right" if heading in ("value", "pixels") else "left"
        table.add_column(heading, justify=justify, no_wrap=heading != "next likely", overflow="fold")
    for prediction, segment in zip(answer.predictions, answer.segments, strict=True):
        ranked = sorted(prediction.class_probabilities.items(), key=lambda item: -item[1])
        table.add_row(
            str(segment.value),
            prediction.predicted_class,
            f"{ranked[0][1]:.0%}",
            f"{prediction.predicted_iou:.2f}",
            str(int(prediction.mask.sum())),
            ", ".join(f"{name} {share:.0%}" for name, share in ranked[1:3]),
        )
    console.print(table)
    for prediction, segment in zip(answer.predictions, answer.segments, strict=True):
        if prediction.unsure:
            console.print(_doubt(prediction, segment.value), highlight=False)
    familiarity = answer.predictions[0].familiarity
    if familiarity is not None and familiarity.out_of_domain:
        console.print(STRANGE, highlight=False)
    present = answer.predictions[0].presence
    names = sorted((name for name, share in present.items() if share >= ALSO_PRESENT), key=lambda name: -present[name])
    if names:
        console.print("Also in the picture: " + ", ".join(f"{name} {present[name]:.0%}" for name in names[:12]))


def _report_lesion(console: Console, lesion: LesionReply) -> None:
    from samantic.besadiff.doubt import is_unsure

    found = lesion.found
    if not found.mask.any():
        console.print("No lesion was found; give a point or a box.")
        return
    share = f"{int(found.mask.sum())} pixels, {found.mask.mean():.1%} of the photograph"
    console.print(f"skin_lesion: {share}; boundary confidence {found.boundary_confidence:.2f}", highlight=False)
    if is_unsure(found):
        console.print("Not sure where the border runs: check the mask.", highlight=False)


def _report_student(console: Console, student: StudentReply) -> None:
    found = student.found
    what = "pixels" if student.volume.kind == "photograph" else "voxels"
    for segment in student.segments:
        mask = found.labels == segment.value
        if mask.any():
            share = f"{int(mask.sum())} {what}, confidence {float(found.confidence[mask].mean(dtype='f8')):.2f}"
            console.print(f"{segment.value} {segment.name}: {share}", highlight=False)
    if not found.labels.any():
        console.print("Nothing was found.")
    else:
        console.print(f"uncertainty at the borders: {found.border_uncertainty:.2f}", highlight=False)


def _doubt(prediction: ObjectPrediction, value: int) -> str:
    shares = prediction.class_probabilities
    likely = ", ".join(sorted(shares, key=lambda name: -shares[name])[:2])
    return f"Not sure: {value} may be {likely} or something that the model does not know."
