from fitness.instances import CATALOGUE, catalogue


def test_type_has_the_figures_of_its_row():
    g5 = CATALOGUE["ml.g5.12xlarge"]
    assert (g5.vcpu, g5.memory_gib, g5.arch) == (48, 192.0, "x86_64")
    assert (g5.accelerator, g5.accelerator_count, g5.accelerator_memory_gib) == ("NVIDIA A10G", 4, 96.0)
    assert g5.accepts == {"hosting", "transform", "training", "processing"}


def test_type_without_accelerator_has_none_and_none_counted():
    c5 = CATALOGUE["ml.c5.large"]
    assert (c5.accelerator, c5.accelerator_count, c5.accelerator_memory_gib) == (None, 0, None)


def test_figures_that_nobody_published_are_unknown_and_not_zero():
    g7 = CATALOGUE["ml.g7.2xlarge"]
    assert (g7.vcpu, g7.memory_gib, g7.accelerator_count) == (None, None, None)
    assert g7.accelerator is not None


def test_hosting_takes_277_types_and_no_t3():
    hosting = [name for name, known in CATALOGUE.items() if "hosting" in known.accepts]
    assert len(hosting) == 277
    assert not [name for name in hosting if name.startswith("ml.t3.")]


def test_catalogue_is_read_once_and_cannot_be_changed():
    assert catalogue() is CATALOGUE
    assert not hasattr(CATALOGUE, "__setitem__")
