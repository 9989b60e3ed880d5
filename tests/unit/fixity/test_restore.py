"""Drills: the database is really deleted, and the catalogue comes back from the vault, under the log's eye."""

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from bodycam import clock, custody
from bodycam.cli.log import log
from bodycam.cli.standalone import settle
from bodycam.cli.vault import vault
from bodycam.custody.models import CustodyEvent
from bodycam.db import new_id
from bodycam.fleet.models import Camera
from bodycam.intake import service as intake
from bodycam.petitions import sealing, uploads
from bodycam.recordings.models import Kind, Origin, Recording, Rendition
from bodycam.tasks.vault import known_objects, stray_attempts
from bodycam.vault import chunked
from bodycam.vault.envelope import read_key
from bodycam.vault.manifest import open_manifest, seal_manifest


def lose_the_database(two):
    for path in two.settings.data_dir.glob("bodycam.db*"):
        path.unlink()


def restore():
    return CliRunner().invoke(vault, ["restore-catalogue"])


def rows(rt):
    with rt.db.read() as session:
        return {row.object_id: row for row in session.scalars(select(Recording).limit(100))}


def read_all(rt, films):
    return {object_id: b"".join(rt.vault.open(object_id).chunks()) for object_id in films} == films


def forge(two, place, object_id, **changes):
    """Seal another manifest with the object's own key, as somebody with the vault's key can."""
    with two.open() as rt:
        envelope = two.path(place, object_id, ".env").read_bytes()
        path = two.path(place, object_id, ".manifest")
        key = read_key(object_id, envelope, rt.keyring)
        told = open_manifest(object_id, key, path.read_bytes()) | changes
        path.write_bytes(seal_manifest(key, told, told["sha256"], told["size"]))


def test_drill_the_database_is_deleted_and_every_recording_comes_back_byte_for_byte(two, films):
    with two.open() as rt:
        before = rows(rt)
    lose_the_database(two)
    result = restore()
    assert result.exit_code == 0, result.output
    assert "Restored: 3; known before: 0" in result.output
    with two.open() as rt:
        after = rows(rt)
        for object_id, row in before.items():
            same = ("id", "sha256", "size", "name", "origin", "sealed_event_id", "time_raw", "folded")
            assert [getattr(after[object_id], name) for name in same] == [getattr(row, name) for name in same]
            assert abs((after[object_id].sealed_at - row.sealed_at).total_seconds()) < 1
        assert read_all(rt, films)
        assert set(known_objects(rt.db)) == set(films)
    again = restore()
    assert "Restored: 0; known before: 3" in again.output


def test_an_interrupted_restore_is_begun_again_and_ends_the_same(two, films):
    lose_the_database(two)
    from bodycam.intake.restore import Restore

    with two.open() as rt:
        settle(rt, [])
        steps = Restore(rt, lambda: known_objects(rt.db)).steps()
        next(steps)
        steps.close()
        assert len(rows(rt)) == 1
    assert restore().exit_code == 0
    with two.open() as rt:
        assert rows(rt).keys() == films.keys()


def test_a_manifest_with_a_flipped_bit_is_read_from_the_other_copy_or_told_and_left(two, films):
    first, second, third = films
    for bit in (0, 333, 2000):
        two.spoil("main", first, ".manifest", bit)
    left = [two.spoil(place, second, ".manifest", 700) for place in ("main", "second")]
    lose_the_database(two)
    result = restore()
    assert result.exit_code == 1
    assert f"No manifest of it opens  {second}" in result.output
    assert [two.path(place, second, ".manifest").read_bytes() for place in ("main", "second")] == left
    with two.open() as rt:
        assert rows(rt).keys() == {first, third}


@pytest.mark.parametrize(
    "lie",
    [
        {"camera": "another"},
        {"origin": "dock"},
        {"device_time": "1999-01-01T00:00:00"},
        {"recording": "another"},
        {"size": 5},
    ],
    ids=str,
)
def test_a_manifest_sealed_anew_by_whoever_has_the_key_is_held_against_the_log(two, films, lie):
    first, second, third = films
    forge(two, "main", first, **lie)
    for place in ("main", "second"):
        forge(two, place, second, **lie)
    lose_the_database(two)
    result = restore()
    assert result.exit_code == 1
    assert second in result.output
    with two.open() as rt:
        assert rows(rt).keys() == {first, third}
        assert rows(rt)[first].origin == Origin.IMPORT


def test_manifests_swapped_between_two_objects_restore_neither_as_the_other(two, films):
    first, second, third = films
    paths = [two.path(place, name, ".manifest") for place in ("main", "second") for name in (first, second)]
    texts = [path.read_bytes() for path in paths]
    for path, text in zip(paths, [texts[1], texts[0], texts[3], texts[2]], strict=True):
        path.write_bytes(text)
    lose_the_database(two)
    assert restore().exit_code == 1
    with two.open() as rt:
        assert rows(rt).keys() == {third}


@pytest.mark.parametrize("kind", ["recording.destroyed", "recording.destroying"])
def test_what_the_log_says_was_destroyed_is_not_brought_back_from_a_copy_that_turned_up(two, films, kind):
    gone = next(iter(films))
    with two.open() as rt:
        row = rows(rt)[gone]
        with rt.db.write() as session:
            custody.record(session, kind, object_id=row.id, actor="system")
        settle(rt, [])
    lose_the_database(two)
    result = restore()
    assert result.exit_code == 0
    assert f"Destroyed by the log, not brought back  {gone}" in result.output
    with two.open() as rt:
        assert rows(rt).keys() == films.keys() - {gone}
    assert two.path("main", gone).exists(), "a restore deletes nothing"


def test_an_object_that_no_event_seals_is_reported_kept_and_not_restored(two, films):
    with two.open() as rt:
        with rt.spool.open("slipped-in") as writer:
            writer.write(b"planted")
            spooled = writer.finish()
        planted = rt.vault.seal(spooled, {"recording": new_id(), "event": new_id(), "name": "x.mp4"}).object_id
        rt.spool.discard("slipped-in")
    lose_the_database(two)
    result = restore()
    assert f"In no event of the log, left as it is  {planted}" in result.output
    with two.open() as rt:
        assert rows(rt).keys() == films.keys()
    assert two.path("main", planted).exists()


def test_a_camera_that_the_new_database_does_not_know_is_named_in_the_event(two):
    with two.open() as rt:
        camera_id = new_id()
        with rt.db.write() as session:
            session.add(Camera(id=camera_id, serial="S1", created_at=clock.now()))
        attempt = intake.begin(rt.db, "a")
        with rt.spool.open(attempt.id) as writer:
            writer.write(b"docked film")
            spooled = writer.finish()
        facts = intake.Facts(origin=Origin.DOCK, name="a.mp4", actor="system", camera_id=camera_id)
        recording_id = intake.finish(rt, attempt, spooled, facts).recording_id
        settle(rt, [])
    lose_the_database(two)
    assert restore().exit_code == 0
    with two.open() as rt, rt.db.read() as session:
        row = session.get_one(Recording, recording_id)
        assert (row.camera_id, row.quarantine) == (None, True)
        [event] = custody.history(session, recording_id, only=CustodyEvent.kind == "recording.restored")
        assert f'"camera":"{camera_id}"' in event.body
    told = CliRunner().invoke(log, ["verify"]).output
    assert "\nINCOMPLETE\n" in told
    assert "without: device" in told
    with two.open() as rt, rt.db.write() as session:
        session.get_one(Recording, recording_id).origin = Origin.IMPORT
    assert "\nTAMPERED\n" in CliRunner().invoke(log, ["verify"]).output, "anything else is told as before"


def test_a_citizens_video_and_what_was_made_from_it_come_back_too(two):
    with two.open() as rt:
        recording_id, object_id, made = _citizens_video(rt)
    lose_the_database(two)
    result = restore()
    assert result.exit_code == 0, result.output
    with two.open() as rt, rt.db.read() as session:
        row = session.get_one(Recording, recording_id)
        assert (row.object_id, row.origin, row.kind) == (object_id, Origin.CITIZEN, Kind.OTHER)
        thumbnail = session.scalars(select(Rendition).limit(9)).one()
        assert (thumbnail.recording_id, thumbnail.object_id, thumbnail.mime) == (recording_id, made, "image/jpeg")


def _citizens_video(rt):
    with rt.spool.open("upload") as writer:
        writer.write(b"what a citizen saw")
        spooled = writer.finish()
    sealed = rt.vault.seal(spooled, {"submission": "s1", "file": "f1"})
    recording_id = new_id()
    with rt.db.write() as session:
        facts = intake.Facts(origin=Origin.CITIZEN, name="f1.mp4", actor="system")
        intake.catalogue(session, sealed, facts, recording_id=recording_id, event_id=new_id())
    rt.spool.discard("upload")
    with rt.spool.open("picture") as writer:
        writer.write(b"a picture")
        spooled = writer.finish()
    made = rt.vault.seal(spooled, {"rendition_of": recording_id, "kind": "thumbnail"})
    with rt.db.write() as session:
        details = {"kind": "thumbnail", "object": made.object_id}
        custody.record(session, "recording.rendered", object_id=recording_id, actor="system", details=details)
    rt.spool.discard("picture")
    settle(rt, [])
    return recording_id, sealed.object_id, made.object_id


def test_what_rested_in_the_spool_when_the_database_was_lost_is_told_and_kept_for_a_month(two, films):
    assert films
    with two.open() as rt:
        for name in ("dock-attempt", uploads.attempt("citizen")):
            with rt.spool.open(name) as writer:
                writer.write(b"not yet sealed")
    lose_the_database(two)
    assert "Never finished, left in the spool  dock-attempt" in restore().output
    with two.open() as rt:
        assert stray_attempts(rt) == sorted(["dock-attempt", uploads.attempt("citizen")])
        sealing.tidy(rt)
        assert len(rt.spool.attempts()) == 2


def test_a_manifest_says_nothing_to_whoever_has_the_disk_alone(two, films):
    object_id = next(iter(films))
    sealed = two.path("main", object_id, ".manifest").read_bytes()
    assert b"clip0" not in sealed
    assert len(sealed) > chunked.HEADER
