from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leafsight.errors import TaxonomyError
from leafsight.taxonomy import (
    NOT_A_LEAF,
    classes_of,
    find_class,
    find_crop,
    plant_classes,
    positions_of,
)

# The 38 names of PlantVillage, used unchanged by the New Plant Diseases set, and the key of each.
PLANT_VILLAGE = {
    "Apple___Apple_scab": "apple/scab",
    "Apple___Black_rot": "apple/black_rot",
    "Apple___Cedar_apple_rust": "apple/cedar_apple_rust",
    "Apple___healthy": "apple/healthy",
    "Blueberry___healthy": "blueberry/healthy",
    "Cherry_(including_sour)___Powdery_mildew": "cherry/powdery_mildew",
    "Cherry_(including_sour)___healthy": "cherry/healthy",
    "Corn_(maize)___Cercospora_leaf_spot Gray_leaf_spot": "corn/gray_leaf_spot",
    "Corn_(maize)___Common_rust_": "corn/common_rust",
    "Corn_(maize)___Northern_Leaf_Blight": "corn/northern_leaf_blight",
    "Corn_(maize)___healthy": "corn/healthy",
    "Grape___Black_rot": "grape/black_rot",
    "Grape___Esca_(Black_Measles)": "grape/esca",
    "Grape___Leaf_blight_(Isariopsis_Leaf_Spot)": "grape/leaf_blight",
    "Grape___healthy": "grape/healthy",
    "Orange___Haunglongbing_(Citrus_greening)": "orange/greening",
    "Peach___Bacterial_spot": "peach/bacterial_spot",
    "Peach___healthy": "peach/healthy",
    "Pepper,_bell___Bacterial_spot": "pepper/bacterial_spot",
    "Pepper,_bell___healthy": "pepper/healthy",
    "Potato___Early_blight": "potato/early_blight",
    "Potato___Late_blight": "potato/late_blight",
    "Potato___healthy": "potato/healthy",
    "Raspberry___healthy": "raspberry/healthy",
    "Soybean___healthy": "soybean/healthy",
    "Squash___Powdery_mildew": "squash/powdery_mildew",
    "Strawberry___Leaf_scorch": "strawberry/leaf_scorch",
    "Strawberry___healthy": "strawberry/healthy",
    "Tomato___Bacterial_spot": "tomato/bacterial_spot",
    "Tomato___Early_blight": "tomato/early_blight",
    "Tomato___Late_blight": "tomato/late_blight",
    "Tomato___Leaf_Mold": "tomato/leaf_mold",
    "Tomato___Septoria_leaf_spot": "tomato/septoria_leaf_spot",
    "Tomato___Spider_mites Two-spotted_spider_mite": "tomato/spider_mites",
    "Tomato___Target_Spot": "tomato/target_spot",
    "Tomato___Tomato_Yellow_Leaf_Curl_Virus": "tomato/yellow_leaf_curl_virus",
    "Tomato___Tomato_mosaic_virus": "tomato/mosaic_virus",
    "Tomato___healthy": "tomato/healthy",
}

# PlantDoc, with both spellings of soybean and bell pepper that its copies use.
PLANT_DOC = {
    "Apple Scab Leaf": "apple/scab",
    "Apple leaf": "apple/healthy",
    "Apple rust leaf": "apple/cedar_apple_rust",
    "Bell_pepper leaf": "pepper/healthy",
    "Bell_pepper leaf spot": "pepper/bacterial_spot",
    "Bell pepper leaf spot": "pepper/bacterial_spot",
    "Blueberry leaf": "blueberry/healthy",
    "Cherry leaf": "cherry/healthy",
    "Corn Gray leaf spot": "corn/gray_leaf_spot",
    "Corn leaf blight": "corn/northern_leaf_blight",
    "Corn rust leaf": "corn/common_rust",
    "Peach leaf": "peach/healthy",
    "Potato leaf": "potato/healthy",
    "Potato leaf early blight": "potato/early_blight",
    "Potato leaf late blight": "potato/late_blight",
    "Raspberry leaf": "raspberry/healthy",
    "Soyabean leaf": "soybean/healthy",
    "Soybean leaf": "soybean/healthy",
    "Squash Powdery mildew leaf": "squash/powdery_mildew",
    "Strawberry leaf": "strawberry/healthy",
    "Tomato Early blight leaf": "tomato/early_blight",
    "Tomato Septoria leaf spot": "tomato/septoria_leaf_spot",
    "Tomato leaf": "tomato/healthy",
    "Tomato leaf bacterial spot": "tomato/bacterial_spot",
    "Tomato leaf late blight": "tomato/late_blight",
    "Tomato leaf mosaic virus": "tomato/mosaic_virus",
    "Tomato leaf yellow virus": "tomato/yellow_leaf_curl_virus",
    "Tomato mold leaf": "tomato/leaf_mold",
    "Tomato two spotted spider mites leaf": "tomato/spider_mites",
    "grape leaf": "grape/healthy",
    "grape leaf black rot": "grape/black_rot",
}

OTHERS = {
    "Background_without_leaves": NOT_A_LEAF,
    "not_a_leaf": NOT_A_LEAF,
    "bean_rust": "bean/rust",
    "angular_leaf_spot": "bean/angular_leaf_spot",
    "Bean___Angular_leaf_spot": "bean/angular_leaf_spot",
    "Blackgram___Leaf_crinkle": "black_gram/leaf_crinkle",
    "Chilli___Cercospora": "chilli/cercospora_leaf_spot",
    "Chilli___Murda_complex": "chilli/murda_complex",
    "Chilli___Nutritional_deficiency": "chilli/nutritional_deficiency",
    "Citrus___Greening": "citrus/greening",
    "Citrus___Black_spot": "citrus/black_spot",
    "Apple___Frogeye_leaf_spot": "apple/frogeye_leaf_spot",
    "Rice___Bacterial_leaf_blight": "rice/bacterial_leaf_blight",
    "tomato early blight": "tomato/early_blight",
    "TOMATO EARLY-BLIGHT": "tomato/early_blight",
    "tomato/early_blight": "tomato/early_blight",
    "Early blight of tomato": "tomato/early_blight",
    "Tomato with Early Blight": "tomato/early_blight",
    "Healthy Tomato Plant": "tomato/healthy",
    "Tomato Earlyblight (Diseased)": "tomato/early_blight",
    "Tomato__Tomato_YellowLeaf__Curl_Virus": "tomato/yellow_leaf_curl_virus",
    "Maize (Common rust)": "corn/common_rust",
    "Urd bean yellow mosaic": "black_gram/yellow_mosaic",
}

# What the built-in model is trained on, and the two sets that only judge it.
OWN_COLLECTIONS = (
    "plantvillage",
    "plantvillage-native-sample",
    "field-bean",
    "field-blackgram",
    "field-chilli",
    "citrus-leaf",
    "field-rice",
    "field-apple",
)


@pytest.mark.parametrize(("spelling", "key"), [*PLANT_VILLAGE.items(), *PLANT_DOC.items(), *OTHERS.items()])
def test_known_collections_are_read(spelling: str, key: str) -> None:
    found = find_class(spelling)
    assert found.known
    assert found.key == key


def test_every_folder_of_the_collections_here_is_known(shared_data: Path) -> None:
    folders = [folder for name in OWN_COLLECTIONS for folder in (shared_data / name).glob("*/")]
    if not folders:
        pytest.skip("the collections are not unpacked here")
    assert [folder.name for folder in folders if not find_class(folder.name).known] == []


def test_a_class_shows_itself() -> None:
    found = find_class("Tomato___Early_blight")
    assert found.display == "Tomato: early blight"
    assert not found.is_healthy
    assert found.is_leaf
    assert found.condition.kind == "fungus"
    assert found.crop is not None
    assert found.crop.latin == "Solanum lycopersicum"
    assert find_class("Background_without_leaves").display == "Not a leaf"
    assert not find_class("Background_without_leaves").is_leaf
    assert not find_class("Background_without_leaves").is_healthy
    assert find_class("Soyabean leaf").is_healthy


@pytest.mark.parametrize("plant_class", plant_classes(), ids=lambda one: one.key)
def test_key_and_display_lead_back(plant_class: object) -> None:
    from leafsight.taxonomy import PlantClass

    assert isinstance(plant_class, PlantClass)
    assert find_class(plant_class.key) == plant_class
    assert find_class(plant_class.display) == plant_class


@given(st.sampled_from(sorted(PLANT_VILLAGE)), st.randoms(use_true_random=False))
def test_case_and_punctuation_do_not_count(spelling: str, random: object) -> None:
    from random import Random

    assert isinstance(random, Random)
    spoiled = "".join(
        random.choice((letter.upper(), letter.lower()))
        if letter.isalnum()
        else random.choice(("_", " ", "-", " ("))
        for letter in spelling
    )
    assert find_class(spoiled).key == PLANT_VILLAGE[spelling]


@given(st.text(min_size=1).filter(lambda text: text.strip() != ""))
def test_any_name_gives_a_class(spelling: str) -> None:
    found = find_class(spelling)
    assert found.key
    assert found.display
    assert find_class(spelling) == found


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_a_blank_name_is_refused(blank: str) -> None:
    with pytest.raises(TaxonomyError, match="needs a name"):
        find_class(blank)


def test_a_labs_own_class_is_split() -> None:
    found = find_class("Cassava___Brown_streak")
    assert not found.known
    assert found.key == "cassava/brown_streak"
    assert found.display == "Cassava: Brown streak"
    assert found.condition.kind == "unknown"
    assert not found.is_healthy


def test_a_labs_own_class_uses_known_words_where_it_can() -> None:
    wilt = find_class("Maize___Our_wilt")
    assert wilt.crop == find_crop("corn")
    assert wilt.key == "corn/our_wilt"
    assert find_class("Cassava___healthy").is_healthy
    assert find_class("Cassava___Powdery_Mildew").condition.kind == "fungus"


def test_a_name_without_crop_has_none() -> None:
    found = find_class("class_7")
    assert (found.crop, found.key, found.known) == (None, "class_7", False)
    assert find_class("___").key == "___"
    assert find_class("Tomato___").crop is None


def test_bare_conditions_belong_to_no_crop_unless_told() -> None:
    assert find_class("healthy").crop is None
    assert find_class("healthy").is_healthy
    assert find_class("rust", crop="French bean").key == "bean/rust"
    assert find_class("healthy", crop="cassava").key == "cassava/healthy"
    assert find_class("angular_leaf_spot", crop="cucumber").key == "cucumber/angular_leaf_spot"
    assert find_class("background", crop="tomato").key == NOT_A_LEAF
    assert find_class("Potato___Late_blight", crop="tomato").key == "potato/late_blight"


def test_scripts_keep_their_words_apart() -> None:
    assert find_class("हल्दी").key != find_class("हल्द").key
    assert find_class("番茄___早疫病").key == "番茄/早疫病"


@pytest.mark.parametrize(
    ("spelling", "key"),
    [
        ("maize", "corn"),
        ("Corn_(maize)", "corn"),
        ("bell pepper", "pepper"),
        ("Pepper,_bell", "pepper"),
        ("urd bean", "black_gram"),
        ("orange", "orange"),
        ("lemon", "citrus"),
        ("TOMATOES", "tomato"),
        ("Solanum tuberosum", "potato"),
    ],
)
def test_crops_are_found(spelling: str, key: str) -> None:
    assert find_crop(spelling).key == key


def test_an_unknown_crop_names_the_nearest() -> None:
    with pytest.raises(TaxonomyError, match="'tomatto'") as caught:
        find_crop("tomatto")
    assert "did you mean 'tomato'?" in caught.value.hint
    assert "black gram" in caught.value.hint
    with pytest.raises(TaxonomyError) as caught:
        find_crop("xyzzy")
    assert "did you mean" not in caught.value.hint


def test_classes_of_a_crop() -> None:
    assert [one.key for one in classes_of("potato")] == [
        "potato/early_blight",
        "potato/late_blight",
        "potato/healthy",
    ]
    assert len(classes_of(find_crop("tomato"))) == 10
    orange = {one.key for one in classes_of("orange")}
    assert {"orange/greening", "citrus/canker", "citrus/healthy"} <= orange
    assert orange == {one.key for one in classes_of("lemon")}
    with pytest.raises(TaxonomyError):
        classes_of("cassava")


def test_positions_of_a_crop_in_a_model() -> None:
    names = ["Tomato___healthy", "Orange___Haunglongbing_(Citrus_greening)", "Citrus___Canker", "class 7"]
    assert positions_of("tomatoes", names) == (0,)
    assert positions_of("orange", names) == (1, 2)
    assert positions_of("cassava", ["Cassava___healthy", "Cassava___mosaic", "other"]) == (0, 1)


def test_positions_of_a_crop_that_the_model_lacks() -> None:
    with pytest.raises(TaxonomyError, match="no class for the crop 'tomatto'") as caught:
        positions_of("tomatto", ["Tomato___healthy", "Corn___healthy"])
    assert caught.value.hint == "did you mean 'tomato'? crops of this model: tomato, corn"
    with pytest.raises(TaxonomyError) as caught:
        positions_of("tomato", ["daisy", "rose"])
    assert "leave the crop out" in caught.value.hint


@pytest.mark.parametrize("blank", ["", " "])
def test_a_blank_crop_is_refused(blank: str) -> None:
    with pytest.raises(TaxonomyError, match="a crop needs a name"):
        positions_of(blank, ["Tomato___healthy"])
    with pytest.raises(TaxonomyError, match="is not a crop"):
        find_crop(blank)
