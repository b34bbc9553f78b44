from __future__ import annotations

import re
import tomllib

import pytest

from leafsight.errors import TaxonomyError
from leafsight.taxonomy import Card, card, find_class, has_card, plant_classes
from leafsight.taxonomy.cards import CARDS_FOLDER

DESCRIBED = [one for one in plant_classes() if one.is_leaf]
TEXTS = ("what_it_is", "looks_like", "told_apart", "growers_do", "ask_an_expert")

# The 48 plant classes of the built-in model: the folders of its five collections.
BUILT_IN = (
    "Apple___Apple_scab",
    "Apple___Black_rot",
    "Apple___Cedar_apple_rust",
    "Apple___healthy",
    "Blueberry___healthy",
    "Cherry_(including_sour)___Powdery_mildew",
    "Cherry_(including_sour)___healthy",
    "Corn_(maize)___Cercospora_leaf_spot Gray_leaf_spot",
    "Corn_(maize)___Common_rust_",
    "Corn_(maize)___Northern_Leaf_Blight",
    "Corn_(maize)___healthy",
    "Orange___Haunglongbing_(Citrus_greening)",
    "Pepper,_bell___Bacterial_spot",
    "Pepper,_bell___healthy",
    "Potato___Early_blight",
    "Potato___Late_blight",
    "Potato___healthy",
    "Raspberry___healthy",
    "Strawberry___Leaf_scorch",
    "Strawberry___healthy",
    "Tomato___Bacterial_spot",
    "Tomato___Early_blight",
    "Tomato___Late_blight",
    "Tomato___Leaf_Mold",
    "Tomato___Septoria_leaf_spot",
    "Tomato___Spider_mites Two-spotted_spider_mite",
    "Tomato___Target_Spot",
    "Tomato___Tomato_Yellow_Leaf_Curl_Virus",
    "Tomato___Tomato_mosaic_virus",
    "Tomato___healthy",
    "Bean___Angular_leaf_spot",
    "Bean___Rust",
    "Bean___healthy",
    "Blackgram___Anthracnose",
    "Blackgram___Leaf_crinkle",
    "Blackgram___Powdery_mildew",
    "Blackgram___Yellow_mosaic",
    "Blackgram___healthy",
    "Chilli___Cercospora",
    "Chilli___Murda_complex",
    "Chilli___Nutritional_deficiency",
    "Chilli___Powdery_mildew",
    "Chilli___healthy",
    "Citrus___Black_spot",
    "Citrus___Canker",
    "Citrus___Greening",
    "Citrus___Melanose",
    "Citrus___healthy",
)

DOSAGE = re.compile(
    r"\d\s*(g|mg|kg|ml|l|cc|ppm|lb|lbs|oz|gal|litres?|liters?|grams?|teaspoons?|tablespoons?)\b"
    r"|\b(g|mg|kg|ml|cc|l)\s*(/|per)\s*(l|ha|acre|m2|plant|litre|liter|gallon)\b"
    r"|%|\bper ?cent\b|\bppm\b",
    re.IGNORECASE,
)
# Active ingredients and trade names found in advice on these diseases; cards name none.
PRODUCTS = re.compile(
    r"\b(azoxystrobin|benomyl|bordeaux|captan|carbendazim|chlorothalonil|copper oxychloride|daconil|dicofol|"
    r"dimethoate|imidacloprid|mancozeb|myclobutanil|neem|propiconazole|pyraclostrobin|streptocycline|"
    r"streptomycin|sulfur|sulphur|tebuconazole|thiram|tricyclazole|wettable)\b",
    re.IGNORECASE,
)
EPPO_CODE = re.compile(r"\(([A-Z]{4}[A-Z0-9]{2})\)")


def sentences(text: str) -> int:
    return len(re.findall(r"[.!?](?=\s|$)", text))


def words_of(one: Card) -> str:
    return " ".join(getattr(one, name) for name in TEXTS)


def test_the_built_in_model_is_covered() -> None:
    assert len(BUILT_IN) == len(set(BUILT_IN)) == 48
    assert [name for name in BUILT_IN if not has_card(name)] == []


@pytest.mark.parametrize("plant_class", DESCRIBED, ids=lambda one: one.key)
class TestEveryCard:
    def test_is_complete(self, plant_class) -> None:
        one = card(plant_class.key)
        assert one.key == plant_class.key
        for name in TEXTS:
            text = getattr(one, name)
            assert text == text.strip()
            assert text.endswith(".")
            assert 1 <= sentences(text) <= 3, name
            assert 20 <= len(text) <= 400, name

    def test_names_its_sources(self, plant_class) -> None:
        sources = card(plant_class.key).sources
        assert sources
        for source in sources:
            assert source.institution.strip()
            assert source.title.strip()
            assert source.url == "" or re.fullmatch(r"https?://\S+", source.url)
        codes = {code for source in sources for code in EPPO_CODE.findall(source.title)}
        if plant_class.eppo:
            assert codes <= {plant_class.eppo}

    def test_gives_no_dosage_and_names_no_product(self, plant_class) -> None:
        text = words_of(card(plant_class.key))
        assert DOSAGE.findall(text) == []
        assert PRODUCTS.findall(text) == []

    def test_lookalikes_exist(self, plant_class) -> None:
        lookalikes = card(plant_class.key).mistaken_for
        known = {one.key for one in plant_classes()}
        assert len(set(lookalikes)) == len(lookalikes)
        assert set(lookalikes) <= known - {plant_class.key}


@pytest.mark.parametrize(
    "advice", ["2 g/l of water", "spray 5 ml", "1 kg/ha", "a 10% solution", "3 grams per litre"]
)
def test_the_dosage_check_can_fail(advice: str) -> None:
    assert DOSAGE.search(advice)


def test_the_dosage_check_leaves_plain_numbers_alone() -> None:
    assert not DOSAGE.search("rotate for 3 years; Florida (PP351); spots of 2 mm; the first 2 leaves")


def test_every_written_card_belongs_to_a_class() -> None:
    known = {one.key for one in plant_classes()}
    for path in CARDS_FOLDER.glob("*.toml"):
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        assert {f"{path.stem}/{name}" for name in tables} <= known


def test_a_card_is_found_by_any_spelling() -> None:
    assert card("Tomato___Early_blight") is card("tomato/early_blight")


def test_the_same_disease_is_told_the_same_way() -> None:
    assert card("orange/greening").looks_like == card("citrus/greening").looks_like


@pytest.mark.parametrize("key", ["Cassava___Mosaic", "not_a_leaf", "class_7", "Cassava___Powdery_mildew"])
def test_classes_without_a_card_say_so(key: str) -> None:
    assert not has_card(key)
    with pytest.raises(TaxonomyError, match="no card") as caught:
        card(key)
    assert "has_card" in caught.value.hint


def test_a_known_crop_with_an_unknown_condition_has_no_card() -> None:
    assert not find_class("Tomato___Our_wilt").known
    assert not has_card("Tomato___Our_wilt")
