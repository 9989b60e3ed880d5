"""The vault's key is replaced: interrupted, attacked, with a place away; every byte stays readable and no key goes too early."""

import json
import multiprocessing
import os
import shutil
import signal
from datetime import timedelta

import pytest
from sqlalchemy import select

from bodycam import clock
from bodycam.custody.models import CustodyEvent
from bodycam.fixity.rewrap import Outcome, Rewrap, replace_key
from bodycam.petitions import service as petitions
from bodycam.petitions.models import Submission
from bodycam.tasks import keys as tasks
from bodycam.vault import disk
from bodycam.vault.envelope import is_current, read_escrowed
from bodycam.vault.errors import KeyMissingError


@pytest.fixture
def later():
    """Have it be two hours later: what was being sealed at the replacement is done."""

    def pass_time(hours=2):
        moment = clock.now() + timedelta(hours=hours)
        clock.set_now(lambda: moment)

    return pass_time


def passed(rt):
    run = Rewrap(rt, lambda: tasks.rewrap_rest(rt))
    return list(run.steps()), run.finish("system")


def events(rt, kind):
    with rt.db.read() as session:
        rows = session.scalars(select(CustodyEvent).where(CustodyEvent.kind == kind).limit(100)).all()
    return [(row.object_id, json.loads(row.body).get("details")) for row in rows]


def read_all(rt, films):
    return {object_id: b"".join(rt.vault.open(object_id).chunks()) for object_id in films} == films


def test_every_envelope_of_every_copy_is_wrapped_anew_and_no_object_changes_its_name(two, films, later):
    with two.open() as rt:
        old = rt.keyring.key_id
        names = {place.name: sorted(place.ids()) for place in rt.vault.places}
        new = replace_key(rt, "system")
        assert new != old
        steps, report = passed(rt)
        assert [step.done for step in steps] == [1, 2, 3, 4, 5, 6]
        assert report.counts[Outcome.REWRAPPED] == 6
        assert report.retired == ()
        assert report.kept[0][0] == old
        assert "replaced just now" in report.kept[0][2]
        later()
        _, report = passed(rt)
        assert (report.counts[Outcome.CURRENT], report.retired, report.kept) == (6, (old,), ())
        assert {place.name: sorted(place.ids()) for place in rt.vault.places} == names
        assert events(rt, "key.rotated") == [(new, {"replaces": old})]
        assert events(rt, "key.retired") == [(old, {"by": new})]
    with two.open() as rt:
        assert read_all(rt, films)
        for place in rt.vault.places:
            for object_id in films:
                envelope = place.beside(object_id, ".env")
                assert is_current(object_id, envelope, rt.keyring)
                assert read_escrowed(object_id, envelope, two.escrow)
                assert rt.vault.verify_copy(object_id, place.name).ok
    assert not (two.settings.keys.dir / f"vault.key.{old}").exists()


def test_a_rotation_killed_at_any_step_goes_on_and_ends_the_same(two, films, later, tmp_path):
    tree = (two.settings.data_dir, two.roots[1])
    for folder in tree:
        shutil.copytree(folder, tmp_path / "before" / folder.name)
    at, exits = 1, []
    while 0 not in exits:
        for folder in tree:
            shutil.rmtree(folder)
            shutil.copytree(tmp_path / "before" / folder.name, folder)
        child = multiprocessing.get_context("fork").Process(target=_rotate_and_die, args=(two, at))
        child.start()
        child.join()
        exits.append(child.exitcode)
        with two.open() as rt:
            assert read_all(rt, films)
            key = replace_key(rt, "system")
            assert passed(rt)[1].counts[Outcome.LOST] == 0
            assert [told for told, _ in events(rt, "key.rotated")] == [key], "told once, however often it was tried"
        at += 1 + at // 5
    assert exits[:-1] == [-signal.SIGKILL] * (len(exits) - 1)
    assert at > 30
    with two.open() as rt:
        later()
        assert passed(rt)[1].kept == ()
        assert read_all(rt, films)


def _rotate_and_die(two, at):
    left = [at]
    for name in ("write_file", "replace", "link", "remove", "sync_folder"):
        real = getattr(disk, name)

        def step(*args, real=real):
            left[0] -= 1
            if left[0] <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            real(*args)

        setattr(disk, name, step)
    with two.open() as rt:
        replace_key(rt, "system")
        passed(rt)
    os._exit(0)


def test_a_second_call_goes_on_with_the_rotation_under_way_and_makes_no_third_key(two, films):
    with two.open() as rt:
        key = replace_key(rt, "system")
        steps = Rewrap(rt, lambda: 0).steps()
        assert next(steps).outcome is Outcome.REWRAPPED
        steps.close()
        assert replace_key(rt, "system") == key
        found, _ = passed(rt)
        assert [step.outcome for step in found].count(Outcome.CURRENT) == 1
        assert read_all(rt, films)


def test_an_old_key_is_kept_while_one_copy_of_one_object_needs_it(two, films, later):
    with two.open() as rt:
        old = rt.keyring.key_id
        away = two.roots[1].rename(two.roots[1].with_name("unplugged"))
        replace_key(rt, "system")
        later()
        _, report = passed(rt)
        assert report.retired == ()
        assert "can't be reached" in report.kept[0][2]
        assert (two.settings.keys.dir / f"vault.key.{old}").exists()
        away.rename(two.roots[1])
        _, report = passed(rt)
        assert report.retired == (old,)
        assert all(rt.vault.verify_copy(object_id, "second").ok for object_id in films)


def test_an_old_key_taken_away_by_hand_too_early_stops_the_start_and_is_named(two, films, later):
    with two.open() as rt:
        old = rt.keyring.key_id
        replace_key(rt, "system")
    aside = (two.settings.keys.dir / f"vault.key.{old}").rename(two.settings.data_dir / "taken")
    with pytest.raises(KeyMissingError, match=old), two.open():
        pass
    aside.rename(two.settings.keys.dir / f"vault.key.{old}")
    with two.open() as rt:
        later()
        assert passed(rt)[1].retired == (old,)
        assert read_all(rt, films)


def test_a_damaged_envelope_is_written_anew_from_the_other_copys(two, films):
    first, second, _ = films
    two.spoil("main", first, ".env")
    two.path("second", second, ".env").unlink()
    with two.open() as rt:
        assert not rt.vault.verify_copy(first, "main").ok
        _, report = passed(rt)
        assert report.counts[Outcome.MENDED] == 2
        assert all(rt.vault.verify_copy(name, place).ok for name in films for place in ("main", "second"))


def test_an_envelope_swapped_between_two_objects_is_mended_and_never_trusted(two, films):
    first, second, _ = films
    swapped = two.path("main", first, ".env").read_bytes(), two.path("main", second, ".env").read_bytes()
    two.path("main", first, ".env").write_bytes(swapped[1])
    two.path("main", second, ".env").write_bytes(swapped[0])
    with two.open() as rt:
        assert rt.vault.verify_copy(first, "main").problems == ("envelope_damaged",)
        assert read_all(rt, films), "the other copy answers"
        assert passed(rt)[1].counts[Outcome.MENDED] == 2
        assert rt.vault.verify_copy(first, "main").ok


def test_an_envelope_lost_in_both_copies_is_named_left_alone_and_keeps_the_old_key(two, films, later):
    object_id = next(iter(films))
    left = [two.spoil(place, object_id, ".env", bit=90) for place in ("main", "second")]
    with two.open() as rt:
        replace_key(rt, "system")
        later()
        _, report = passed(rt)
        assert report.lost == (("main", object_id), ("second", object_id))
        assert report.retired == ()
        assert "can't be opened" in report.kept[0][2]
    assert [two.path(place, object_id, ".env").read_bytes() for place in ("main", "second")] == left


def test_citizens_texts_and_what_rests_in_the_spool_open_after_the_old_key_retired(two, films, later):
    assert films
    with two.open() as rt:
        with rt.db.write() as session:
            report_id = petitions.start(session, rt.keyring).id
            petitions.tell(session, rt.keyring, report_id, text="khoảng 14 giờ hôm qua")
            petitions.identify(session, rt.keyring, report_id, petitions.Identity("Người gửi", "0900 000 000"))
        with rt.spool.open("unfinished") as writer:
            writer.write(b"half a film")
        busy = rt.spool.open("busy")
        busy.write(b"x")
        busy.sync()
        old = rt.keyring.key_id
        replace_key(rt, "system")
        later()
        _, report = passed(rt)
        assert report.retired == (), "one is being written under the old key"
        assert report.kept[0][2] == "1 things outside the vault still need it"
        busy.close()
        rt.spool.discard("busy")
        _, report = passed(rt)
        assert report.retired == (old,)
        current = rt.keyring.current
        with rt.db.read() as session:
            row = session.get_one(Submission, report_id)
            assert current.unwrap(row.wrapped_key, report_id.encode())
            assert petitions.content_of(rt.keyring, row).text == "khoảng 14 giờ hôm qua"
            assert petitions.identity_of(rt.keyring, row).name == "Người gửi"
        assert b"".join(rt.spool.read("unfinished")) == b"half a film"


def test_the_running_system_ends_a_rotation_by_the_clock_and_does_nothing_without_one(two, films, later):
    assert films
    with two.open() as rt:
        tasks.rewrap(rt)
        old = rt.keyring.key_id
        replace_key(rt, "system")
        tasks.rewrap(rt)
        assert [key.key_id for key in rt.keyring.older] == [old]
        later()
        tasks.rewrap(rt)
        assert rt.keyring.older == ()
