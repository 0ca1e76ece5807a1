import torch

from headrace.bundle.graph import Graph
from headrace.models.item_cnn import ContentSizes, ItemInputs, ItemTower
from headrace.models.picture_cnn import PICTURE_DROPOUT, PictureCnn
from headrace.pictures.pixels import SHAPE
from headrace.training.export import export_graphs
from headrace.training.graphs import item_graphs

WIDTH = 8


def inputs_of(items: int, embedding: int = 0) -> ItemInputs:
    return ItemInputs(
        id_row=torch.arange(items) % 4,
        tokens=torch.randint(0, 10, (items, 5)),
        categories=torch.rand(items, 4).round(),
        numeric=torch.randn(items, 2),
        embedding=torch.randn(items, embedding),
        picture=torch.randint(0, 256, (items, *SHAPE), dtype=torch.uint8),
        has_picture=(torch.arange(items) % 3 > 0).float(),
    )


def tower_of(embedding: int = 0) -> ItemTower:
    torch.manual_seed(0)
    sizes = ContentSizes(10, 4, 2, embedding, pictures=True)
    tower = ItemTower(WIDTH, 3, sizes).eval()
    assert tower.cnn.picture is not None
    torch.nn.init.normal_(tower.cnn.picture.none)
    torch.nn.init.normal_(tower.cnn.picture.project.weight)
    return tower


@torch.no_grad()
def test_the_exported_encoder_gives_the_vectors_of_torch() -> None:
    for embedding in (0, 3):
        tower = tower_of(embedding)
        (exported,) = export_graphs(item_graphs(tower, inputs_of(4, embedding))).values()
        assert exported.entry.inputs["picture"] == ("N", *SHAPE)
        graph = Graph("item", exported.content, exported.entry, threads=1)
        for items in (1, 9):
            given = inputs_of(items, embedding)
            names = [name for name in exported.entry.inputs if hasattr(given, name)]
            arrays = [getattr(given, name).numpy() for name in names]
            for ours, theirs in zip(tower(given), graph.run(*arrays), strict=True):
                torch.testing.assert_close(ours, torch.from_numpy(theirs), atol=1e-4, rtol=0)


@torch.no_grad()
def test_no_picture_is_a_vector_of_its_own_whatever_the_pixels_say() -> None:
    cnn = tower_of().cnn.picture
    assert cnn is not None
    pixels = inputs_of(2).picture
    assert pixels is not None
    none, some = cnn(cnn.seen(pixels), torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(none, cnn.none)
    assert not torch.allclose(some, cnn.none, atol=1e-2)


@torch.no_grad()
def test_a_picture_counts_the_same_in_any_company() -> None:
    cnn = PictureCnn(WIDTH).eval()
    pixels = inputs_of(7).picture
    assert pixels is not None
    torch.testing.assert_close(cnn.seen(pixels)[3], cnn.seen(pixels[3:4])[0])


@torch.no_grad()
def test_while_training_some_items_do_without_their_picture() -> None:
    cnn, many = PictureCnn(WIDTH).train(), 2_000
    torch.manual_seed(0)
    torch.nn.init.ones_(cnn.none)
    seen = torch.zeros(many, cnn.project.in_features)
    without = (cnn(seen, torch.ones(many)) == 1).all(dim=1).float().mean()
    assert abs(without - PICTURE_DROPOUT) < 0.03
    assert not (cnn.eval()(seen, torch.ones(many)) == 1).any()


def test_the_rest_of_a_tower_starts_as_without_pictures() -> None:
    towers = []
    for pictures in (False, True):
        torch.manual_seed(0)
        towers.append(ItemTower(WIDTH, 3, ContentSizes(10, 4, 2, pictures=pictures)))
    without, looking = (tower.state_dict() for tower in towers)
    assert {name for name in looking if name not in without} == {
        name for name in looking if name.startswith("cnn.picture.")
    }
    for name in without:
        if name.startswith("cnn."):
            assert torch.equal(without[name], looking[name]), name
