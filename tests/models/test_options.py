from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from leafsight.errors import ConfigError, validated
from leafsight.models import ModelOptions


def test_defaults_are_the_built_in_model() -> None:
    options = ModelOptions()
    assert (options.name, options.width, options.padding, options.head) == ("mobilenet_v2", 1.0, "same", ())


@pytest.mark.parametrize(
    "values",
    [
        {"name": "resnet19"},
        {"name": "timm:"},
        {"width": 0},
        {"name": "resnet18", "width": 0.5},
        {"dropout": 1.0},
        {"head": [0]},
        {"padding": "valid"},
        {"pretrained_sha256": "abc"},
        {"classes": 3},
    ],
)
def test_wrong_values_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ModelOptions.model_validate(values)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        validated(ModelOptions, {"name": "resnet19", "droput": 0.1, "dropout": 2}, "recipe.toml")
    assert [fault.key for fault in caught.value.faults] == ["name", "dropout", "droput"]
    assert caught.value.faults[2].nearest == "dropout"


def test_options_do_not_import_torch() -> None:
    code = (
        "import sys\nfrom leafsight.models import ModelOptions\n"
        "ModelOptions()\nsys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_torch_is_a_clear_error() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from leafsight.errors import MissingExtraError\n"
        "import leafsight.models\n"
        "try:\n    leafsight.models.build_network\n"
        "except MissingExtraError as e:\n    print(e.hint)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "pip install 'leafsight[train]'"
