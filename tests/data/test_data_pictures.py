from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from data_files import encoded, photos, picture, tensors
from PIL import Image

from askwell.core.pool import Form, Pool
from askwell.data import ImageFolderPool, JpegPool, load
from askwell.data import folder as folder_room
from askwell.data import pictures as pictures_room
from askwell.engine.project import Project
from askwell.errors import BadData, InputError


def test_folder_in_natural_order(tmp_path: Path) -> None:
    photos(tmp_path, "p10.png", "p9.PNG", "b/p2.png", "b/p10.png", ".hidden/x.png", "notes.txt")
    pool = ImageFolderPool(tmp_path)
    assert isinstance(pool, Pool)
    assert pool.keys(range(len(pool))) == ["b/p2.png", "b/p10.png", "p9.PNG", "p10.png"]
    assert pool.form == Form("image", (3, 4, 6))
    assert pool.positions(["p9.PNG"]).tolist() == [2]


def test_pixels_are_those_of_the_files(tmp_path: Path) -> None:
    photos(tmp_path, "0.png", "1.png", "2.png")
    batch = tensors(ImageFolderPool(tmp_path), [2, 0])
    assert batch.shape == (2, 3, 4, 6)
    assert torch.equal(batch[:, 0, 0, 0], torch.tensor([20, 0]) / 255)
    assert batch[:, 1:].sum() == 0


def test_listing_opens_the_first_picture_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos(tmp_path, *(f"{place}.png" for place in range(20)))
    opened: list[str] = []
    real = pictures_room.opened
    monkeypatch.setattr(pictures_room, "opened", lambda s, name, *more: opened.append(name) or real(s, name, *more))
    data = load(tmp_path, classes=["a", "b"])
    assert opened == ["0.png"]
    data.pool.item(7)
    assert opened == ["0.png", "7.png"]


def test_pictures_are_decoded_once_for_all_pools(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = photos(tmp_path / "photos", "0.png", "1.png")
    first = tensors(ImageFolderPool(folder))
    assert [file.name.split("-")[0] for file in cache.glob("pictures-*")] == ["pictures"]
    monkeypatch.setattr(ImageFolderPool, "_block", lambda self, positions: pytest.fail("decoded again"))
    assert torch.equal(tensors(ImageFolderPool(folder)), first)


def test_a_given_cache_folder_is_used(tmp_path: Path, cache: Path) -> None:
    folder = photos(tmp_path / "photos", "0.png", "1.png")
    pool = ImageFolderPool(folder, cache=tmp_path / "mine")
    tensors(pool)
    assert pool.digest
    assert not cache.exists()
    assert sorted(path.name.split("-")[0] for path in (tmp_path / "mine").iterdir()) == ["folder", "pictures"]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Positions of the pictures that are decoded, in order."""
    seen: list[int] = []
    real = pictures_room.PicturePool._block
    monkeypatch.setattr(
        pictures_room.PicturePool, "_block", lambda self, positions: seen.extend(positions) or real(self, positions)
    )
    return seen


def test_a_batch_decodes_what_it_needs(tmp_path: Path, decoded: list[int]) -> None:
    pool = ImageFolderPool(photos(tmp_path, *(f"{place}.png" for place in range(9))))
    batch = tensors(pool, [7, 2, 7])
    assert (batch[:, 0, 0, 0] * 255).round().tolist() == [70, 20, 70]
    assert sorted(decoded) == [2, 7]
    assert (tensors(pool)[:, 0, 0, 0] * 255).round().tolist() == list(range(0, 90, 10))
    assert sorted(decoded) == list(range(9))


@pytest.mark.parametrize("size", [1, 7, 1500, 5000])
def test_batches_of_any_size_over_many_pictures(size: int) -> None:
    body = encoded((50, 0, 0))
    pool = JpegPool(np.frombuffer(body * 2500, np.uint8), np.arange(2501) * len(body))
    positions = torch.arange(2500).flip(0)[:2300]
    places = [(where.start, where.stop, len(batch)) for where, batch in pool.items("eval").batches(positions, size)]
    assert places == [(at, min(at + size, 2300), min(size, 2300 - at)) for at in range(0, 2300, size)]
    assert len(tensors(pool, size=size)) == 2500
    again = [(where.start, where.stop, len(batch)) for where, batch in pool.items("eval").batches(positions, size)]
    assert again == places


def test_a_picture_that_was_edited_is_decoded_again(tmp_path: Path, decoded: list[int]) -> None:
    folder = photos(tmp_path, *(f"{place}.png" for place in range(5)))
    tensors(ImageFolderPool(folder))
    del decoded[:]
    os.utime(folder / "1.png", ns=(5, 5))
    (folder / "3.png").write_bytes(encoded((99, 0, 0)))
    assert (tensors(ImageFolderPool(folder))[:, 0, 0, 0] * 255).round().tolist() == [0, 10, 20, 99, 40]
    assert sorted(decoded) == [1, 3]


def test_features_of_a_large_folder_follow_every_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("askwell.data.folder.SAMPLE", 2)
    folder = photos(tmp_path, *(f"{place}.png" for place in range(5)))
    before = ImageFolderPool(folder)
    first = before.features()
    (folder / "1.png").write_bytes(encoded((250, 0, 0)))
    after = ImageFolderPool(folder)
    assert not np.allclose(after.features(), first)


def test_a_pool_with_decoded_pictures_travels(tmp_path: Path) -> None:
    pool = ImageFolderPool(photos(tmp_path, "0.png", "1.png", "2.png"))
    rows = tensors(pool)
    assert torch.equal(tensors(pickle.loads(pickle.dumps(pool))), rows)


def test_pictures_stay_when_the_cache_is_deleted(tmp_path: Path, cache: Path) -> None:
    pool = ImageFolderPool(photos(tmp_path, "0.png", "1.png", "2.png"))
    tensors(pool, [1])
    shutil.rmtree(cache)
    assert (tensors(pool)[:, 0, 0, 0] * 255).round().tolist() == [0, 10, 20]


@pytest.mark.parametrize(("size", "shape"), [(8, (3, 8, 8)), ((2, 5), (3, 2, 5)), (None, (3, 4, 6))])
def test_one_size_for_all(tmp_path: Path, size: int | tuple[int, int] | None, shape: tuple[int, ...]) -> None:
    photos(tmp_path, "0.png")
    (tmp_path / "1.png").write_bytes(encoded((255, 255, 255), width=50, height=7))
    pool = ImageFolderPool(tmp_path, size=size)
    assert pool.form.shape == shape
    assert tensors(pool)[1].min() == 1


def test_a_large_first_picture_is_brought_to_224(tmp_path: Path) -> None:
    (tmp_path / "0.jpg").write_bytes(encoded((0, 0, 200), "jpeg", width=900, height=450))
    pool = ImageFolderPool(tmp_path)
    assert pool.form.shape == (3, 112, 224)
    assert pool.item(0).size == (900, 450)
    assert tensors(pool).shape == (1, 3, 112, 224)


def test_modes_follow_the_first_picture(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(encoded(100))
    picture((255, 255, 255)).convert("P").save(tmp_path / "1.png")
    picture((255, 255, 255)).convert("RGBA").save(tmp_path / "2.png")
    Image.fromarray(np.full((4, 6), 0x80FF, np.uint16)).save(tmp_path / "3.png")
    batch = tensors(ImageFolderPool(tmp_path))
    assert batch.shape == (4, 1, 4, 6)
    assert (batch[:, 0, 0, 0] * 255).round().tolist() == [100, 255, 255, 128]


def test_all_modes_in_one_folder(tmp_path: Path) -> None:
    colour = picture((200, 100, 50))
    colour.save(tmp_path / "0-rgb.png")
    colour.convert("CMYK").save(tmp_path / "1-cmyk.tif")
    colour.convert("RGBA").save(tmp_path / "2-rgba.png")
    colour.convert("P").save(tmp_path / "3-palette.png", transparency=bytes(10))
    colour.convert("YCbCr").save(tmp_path / "4-ycbcr.tif")
    colour.convert("LAB").save(tmp_path / "5-lab.tif")
    grey = picture(100)
    grey.save(tmp_path / "6-grey.png")
    grey.convert("LA").save(tmp_path / "7-grey-alpha.png")
    Image.fromarray(np.full((4, 6), 100 << 8, np.uint16)).save(tmp_path / "8-deep.png")
    Image.fromarray(np.full((4, 6), 100, np.float32)).save(tmp_path / "9-float.tif")
    pixels = (tensors(ImageFolderPool(tmp_path))[:, :, 1, 1] * 255).round()
    assert pixels.shape == (10, 3)
    assert int((pixels[:6] - torch.tensor([200.0, 100, 50])).abs().max()) <= 4
    assert pixels[6:].unique().tolist() == [100]


@pytest.mark.parametrize("mode", ["CMYK", "LAB", "YCbCr", "RGBA", "P"])
def test_colour_among_grey_pictures(tmp_path: Path, mode: str) -> None:
    picture(100).save(tmp_path / "0.png")
    picture((100, 100, 100)).convert(mode).save(tmp_path / "1.tif")
    assert tensors(ImageFolderPool(tmp_path))[1].mul(255).round().unique().tolist() in ([99], [100], [101], [102])


def test_pictures_stand_upright(tmp_path: Path) -> None:
    one = picture((9, 9, 9), width=6, height=4)
    exif = one.getexif()
    exif[0x0112] = 6
    one.save(tmp_path / "0.jpg", exif=exif)
    assert ImageFolderPool(tmp_path).form.shape == (3, 6, 4)


def test_a_corrupt_picture_is_named(tmp_path: Path, cache: Path) -> None:
    photos(tmp_path, "0.png", "1.png", "2.png")
    (tmp_path / "1.png").write_bytes(encoded((1, 2, 3))[:-30])
    (tmp_path / "2.png").write_text("not a picture")
    pool = ImageFolderPool(tmp_path)
    with pytest.raises(BadData, match=r"^picture '1\.png' cannot be read: .*; leave it out"):
        tensors(pool)
    with pytest.raises(BadData) as caught:
        pool.item(2)
    assert str(caught.value) == (
        "picture '2.png' cannot be read: it is not a picture, or of a kind that Pillow does not know; "
        "leave it out: corrupt='skip' (--corrupt skip) when the folder is loaded, "
        "project.remove (askwell edit remove) once there is a project"
    )


def test_a_corrupt_picture_does_not_touch_the_others(tmp_path: Path, decoded: list[int]) -> None:
    photos(tmp_path, "0.png", "1.png", "2.png", "3.png")
    (tmp_path / "2.png").write_text("not a picture")
    pool = ImageFolderPool(tmp_path)
    assert len(tensors(pool, [3, 1])) == 2
    with pytest.raises(BadData, match=r"^picture '2\.png' cannot be read: "):
        tensors(pool)
    del decoded[:]
    (tmp_path / "2.png").write_bytes(encoded((20, 0, 0)))
    assert (tensors(pool)[:, 0, 0, 0] * 255).round().tolist() == [0, 10, 20, 30]
    assert set(decoded) <= {0, 2}


def test_a_corrupt_picture_met_in_a_run_loses_no_answer(tmp_path: Path) -> None:
    photos(tmp_path / "photos", *(f"{name}/{place}.png" for name in ("cat", "dog") for place in range(10)))
    data = load(tmp_path / "photos", test_size=4, size=8)
    name = data.pool.keys(data.split.test)[-1]
    whole = (tmp_path / "photos" / name).read_bytes()
    (tmp_path / "photos" / name).write_text("not a picture")
    with Project.create(tmp_path / "project", data, strategy="margin") as project:
        for question in project.ask(16):
            project.tell(question.id, "dog" if question.position >= 10 else "cat")
        with pytest.raises(BadData) as caught:
            project.train()
        assert str(caught.value).startswith(f"picture {name!r} cannot be read: it is not a picture")
        assert project.status()["labels"] == 16
        (tmp_path / "photos" / name).write_bytes(whole)
        assert project.train().labels == 16


def test_corrupt_pictures_are_left_out_on_request(tmp_path: Path) -> None:
    photos(tmp_path, "cat/0.png", "cat/1.png", "dog/2.png", "dog/3.png")
    (tmp_path / "cat/1.png").write_bytes(encoded((1, 2, 3))[:-30])
    data = load(tmp_path, corrupt="skip", test_size=0)
    assert data.pool.keys(range(3)) == ["cat/0.png", "dog/2.png", "dog/3.png"]
    assert data.labels is not None
    assert data.labels.tolist() == [0, 1, 1]
    assert tensors(data.pool)[:, 0, 0, 0].mul(255).round().tolist() == [0, 20, 30]
    again = load(data.source, **data.options)
    assert again.pool.digest == data.pool.digest


def test_no_sound_picture(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_text("x")
    with pytest.raises(BadData) as caught:
        load(tmp_path, corrupt="skip")
    assert str(caught.value) == f"folder {tmp_path} holds no picture that can be read"


def test_a_picture_that_has_gone_is_named(tmp_path: Path) -> None:
    pool = ImageFolderPool(photos(tmp_path, "0.png", "1.png"))
    (tmp_path / "1.png").unlink()
    with pytest.raises(BadData, match=r"^picture '1\.png' cannot be read: No such file or directory; leave it out"):
        _ = pool.digest


def test_the_digest_of_a_large_folder_reads_a_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("askwell.data.folder.SAMPLE", 3)
    read: list[Path] = []
    real = folder_room._hash
    monkeypatch.setattr("askwell.data.folder._hash", lambda path: read.append(path) or real(path))
    folder = photos(tmp_path, *(f"{place}.png" for place in range(9)))
    first = ImageFolderPool(folder).digest
    assert sorted(path.name for path in read) == ["0.png", "4.png", "8.png"]
    same_size = (folder / "1.png").stat().st_size
    (folder / "1.png").write_bytes(bytes(same_size))
    assert ImageFolderPool(folder).digest == first
    (folder / "1.png").write_bytes(bytes(same_size + 1))
    assert ImageFolderPool(folder).digest != first


def test_the_digest_follows_names_and_bytes(tmp_path: Path) -> None:
    one, two = photos(tmp_path / "one", "0.png", "1.png"), photos(tmp_path / "two", "0.png", "1.png")
    before = ImageFolderPool(one).digest
    assert ImageFolderPool(two).digest == before
    (two / "1.png").write_bytes(encoded((77, 0, 0)))
    os.utime(two / "1.png", ns=(1, 1))
    assert ImageFolderPool(two).digest != before
    (two / "1.png").rename(two / "2.png")
    assert ImageFolderPool(two).digest != before


def test_an_unchanged_folder_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = photos(tmp_path, "0.png", "1.png")
    first = ImageFolderPool(folder).digest
    monkeypatch.setattr("askwell.data.folder._hash", lambda path: pytest.fail("read again"))
    assert ImageFolderPool(folder).digest == first


def test_a_pipe_with_a_pictures_name_is_not_waited_for(tmp_path: Path) -> None:
    photos(tmp_path, "0.png")
    os.mkfifo(tmp_path / "1.png")
    assert len(ImageFolderPool(tmp_path)) == 1


def test_a_link_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    photos(tmp_path, "0.png")
    (tmp_path / "1.png").symlink_to(tmp_path / "gone.png")
    with pytest.raises(BadData, match=r"^picture '1\.png' cannot be read: No such file or directory; "):
        tensors(ImageFolderPool(tmp_path))
    assert len(load(tmp_path, classes=["a", "b"], corrupt="skip").pool) == 1


def test_a_link_to_the_folder_itself_ends(tmp_path: Path) -> None:
    photos(tmp_path, "a/0.png")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    assert len(ImageFolderPool(tmp_path)) == 1


@pytest.mark.parametrize("names", [(), ("notes.txt",)])
def test_a_folder_without_pictures(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (tmp_path / name).write_text("x")
    with pytest.raises(BadData) as caught:
        load(tmp_path)
    endings = ".bmp, .gif, .jpeg, .jpg, .png, .tif, .tiff, .webp"
    assert str(caught.value) == f"folder {tmp_path} holds no pictures ({endings})"


def test_a_size_of_nothing_is_refused(tmp_path: Path) -> None:
    photos(tmp_path, "0.png")
    with pytest.raises(InputError, match=r"^size must be one or two whole numbers of at least 1, got \(0, 5\)$"):
        ImageFolderPool(tmp_path, size=(0, 5))


def test_jpegs_back_to_back() -> None:
    bodies = [encoded((200, 0, 0), "jpeg"), encoded((0, 0, 0), "png")]
    data = np.frombuffer(b"".join(bodies), np.uint8)
    pool = JpegPool(data, np.cumsum([0, *map(len, bodies)]))
    assert pool.form == Form("image", (3, 4, 6))
    batch = tensors(pool)
    assert abs(float(batch[0, 0, 0, 0]) - 200 / 255) < 0.02
    assert batch[1].sum() == 0
    assert pool.item(0).size == (6, 4)


@pytest.mark.parametrize("offsets", [[0], [0, 5, 5], [0, 99]])
def test_offsets_that_do_not_fit(offsets: list[int]) -> None:
    with pytest.raises(BadData, match=r"^offsets must rise from 0 to at most 9, the number of bytes$"):
        JpegPool(np.zeros(9, np.uint8), np.array(offsets))


def test_features_and_made_pictures(tmp_path: Path) -> None:
    photos(tmp_path, *(f"{place}.png" for place in range(6)))
    pool = ImageFolderPool(tmp_path)
    features = pool.features()
    assert features.shape == (6, 6)
    described = pool.describe([tensors(pool, [3])[0].numpy()])
    assert described is not None
    np.testing.assert_allclose(described[0], features[3], atol=1e-5)


def test_without_a_cache_folder_all_is_done_in_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    photos(tmp_path / "photos", "0.png", "1.png")
    (tmp_path / "file").write_text("no folder")
    pool = ImageFolderPool(tmp_path / "photos", cache=tmp_path / "file")
    assert pool.digest == ImageFolderPool(tmp_path / "photos").digest
    assert tensors(pool).shape == (2, 3, 4, 6)
    assert "it is held in memory" in caplog.text
