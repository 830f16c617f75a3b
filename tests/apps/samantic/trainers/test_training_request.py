"""What a client may ask of a training, and what a person is told who asked for something else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from samantic.app.lib.infers.wire import RequestError
from samantic.app.lib.trainers.training_request import read_training_request, stock_config


def test_without_parameters_the_usual_round_begins_with_what_is_served():
    asked = read_training_request({"model": "segsam", "gpus": "all", "local_rank": 0})
    assert asked.initial == "current"
    assert asked.options.validation_ids is None
    assert asked.options.axes == (2,)


def test_a_stock_client_that_sends_the_shown_defaults_back_changes_nothing():
    shown = {key: value[0] if isinstance(value, list) else value for key, value in stock_config().items()}
    assert read_training_request(shown) == read_training_request({})
    as_text = {key: str(value) for key, value in shown.items()}
    assert read_training_request(as_text) == read_training_request({})
    json.dumps(stock_config())


def test_values_may_be_numbers_text_or_json_in_text():
    asked = read_training_request(
        {"epochs": "3", "learning_rate": "0.001", "axes": "[0, 2]", "val_ids": "ct, mr", "initial": "0002"}
    )
    assert (asked.options.epochs, asked.options.learning_rate, asked.options.axes) == (3, 0.001, (0, 2))
    assert asked.options.validation_ids == {"ct", "mr"}
    assert asked.initial == "0002"


def test_the_names_of_monai_labels_own_trainers_mean_the_same():
    asked = read_training_request({"max_epochs": 4, "val_split": 0.5, "train_batch_size": 2, "pretrained": True})
    assert (asked.options.epochs, asked.options.validation_share, asked.options.batch_size) == (4, 0.5, 2)


def test_a_new_class_has_a_description_or_a_code_of_the_vocabulary():
    asked = read_training_request(
        {
            "classes": json.dumps(
                [
                    {"name": "stent", "description": "A bright tube of metal in a vessel."},
                    {"name": "Leber", "code": "10200004"},
                    "kidney cyst left",
                ]
            )
        }
    )
    assert asked.options.descriptions == {"stent": "A bright tube of metal in a vessel."}
    assert asked.class_of("stent", ()) == "stent"
    assert asked.class_of("Leber", ()) == "liver"
    assert asked.class_of("kidney cyst left", ()) == "kidney_cyst_left"
    assert asked.class_of("Spleen", ()) == "spleen"
    assert asked.class_of("Segment_1", ()) is None
    assert asked.class_of("Segment_1", ("Segment_1",)) == "Segment_1"


def test_a_description_of_a_class_of_the_vocabulary_gives_way_to_the_vocabularys_own():
    asked = read_training_request({"classes": [{"name": "Spleen", "description": "Something."}]})
    assert asked.options.descriptions == {}
    assert asked.class_of("Spleen", ()) == "spleen"


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"epoch": 3}, r"no parameter 'epoch'; it has axes, .*epochs"),
        ({"epochs": "many"}, "'epochs' is 'many', but it must be a whole number"),
        ({"epochs": 0}, "epochs must be 1 to"),
        ({"learning_rate": "fast"}, "'learning_rate' is 'fast', but it must be a number"),
        ({"learning_rate": True}, "must be a number"),
        ({"axes": "0,3"}, "axes must be some of 0, 1 and 2"),
        ({"axes": {}}, "'axes' is {}, but it must be some of 0, 1 and 2"),
        ({"initial": "/etc/passwd"}, "must be current, bundled or a version such as 0002"),
        ({"device": "cuda; rm"}, "it must be cpu, cuda"),
        ({"classes": ["stent"]}, "give it a 'description'"),
        ({"classes": [{"name": "stent", "code": "1"}]}, "code '1' of 'stent' is not in the vocabulary"),
        ({"classes": [{"description": "A tube."}]}, "each needs a name"),
        ({"classes": [{"name": "stent", "colour": "red"}]}, "a name and a description or a code"),
        ({"classes": 7}, "'classes' is 7, but it must be a list"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_sentence(params: dict[str, Any], told: str):
    with pytest.raises(RequestError, match=told):
        read_training_request(params)
