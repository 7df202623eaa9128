"""The vault cares for its repositories: damage is told, old snapshots go, nothing else does."""

import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from orchestrator.lab import HostSpec, Lab
from orchestrator.lab.errors import LabError
from tests.lab.change.desk import until

from .vault_host import ROOM, Client, Machine, VaultHost, data, told

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

_NUMBERS = count(1)
# Those of the other tests would take minutes.
_ONLY = "vault.clients = lambda: given['only']"
_AGED = "touch -d '1 hour ago'"


@pytest.fixture(scope="module")
def host(lab_factory: Callable[[str], Lab]) -> VaultHost:
    lab = lab_factory("care")
    lab.up([HostSpec("vault"), HostSpec("newer", "trixie")])
    return VaultHost(lab, "vault")


@pytest.fixture
def client(host: VaultHost) -> Client:
    """A client without any backup."""
    return host.enroll(f"client{next(_NUMBERS)}")


def test_a_repository_as_it_should_be_is_said_to_be_so(client: Client) -> None:
    client.back_up()
    result = client.scrub()
    assert result["state"] == "ok", result
    assert result["last_whole"] == result["at"]
    assert result["read_files"] == result["files"]


def test_a_flipped_bit_is_found_within_the_cycle(client: Client) -> None:
    client.back_up()
    assert client.scrub()["state"] == "ok"
    pack = data(client)[0]
    client.host.sh(
        f"cd {client.place}; touch -r {pack} /tmp/time;"
        f"printf X | dd of={pack} bs=1 seek=100 conv=notrunc status=none; touch -r /tmp/time {pack}"
    )
    assert client.scrub(days=29)["read_files"] == 0
    assert told(client.scrub(days=31)) == {(pack, "damaged")}


def test_a_truncated_and_a_deleted_file_are_found_at_once(client: Client) -> None:
    client.back_up()
    client.scrub()
    pack, other, *_ = data(client)
    client.host.sh(f"cd {client.place}; truncate -s -1 {pack}; {_AGED} {pack}; rm {other}")
    assert told(client.scrub()) == {(pack, "damaged"), (other, "gone")}
    assert told(client.scrub()) == {(pack, "damaged"), (other, "gone")}
    client.host.python("scrub.accept_losses(given['client'])", client=client.name)
    assert told(client.scrub()) == {(pack, "damaged")}


def test_what_does_not_belong_there_is_found(client: Client) -> None:
    client.back_up()
    client.host.sh(
        f"cd {client.place}; as='runuser -u {client.account} --'; $as touch index/junk;"
        f"$as ln -s /etc/shadow snapshots/{'a' * 64}; $as mkfifo data/00/{'0' * 64};"
        f"echo junk > index/{'b' * 64}; {_AGED} index/{'b' * 64}"
    )
    assert told(client.scrub()) == {
        ("index/junk", "junk"),
        (f"snapshots/{'a' * 64}", "link"),
        (f"data/00/{'0' * 64}", "special"),
        (f"index/{'b' * 64}", "owner"),
        (f"index/{'b' * 64}", "damaged"),
    }


def test_a_junk_key_cannot_be_uploaded_and_does_not_keep_a_restore(client: Client) -> None:
    client.back_up()
    client.host.sh(
        f"cd {client.place}; ! runuser -u {client.account} -- touch keys/{'c' * 64} 2>/dev/null"
    )
    client.host.sh(f"cd {client.place}; echo junk > keys/{'c' * 64}; {_AGED} keys/{'c' * 64}")
    assert told(client.scrub()) == {(f"keys/{'c' * 64}", "damaged")}
    client.host.sh(f"rm {client.place}/keys/{'c' * 64}")
    assert client.restores()


@pytest.mark.parametrize("kind", ["index", "snapshots"])
def test_junk_under_a_good_name_is_moved_aside_and_restores_work(client: Client, kind: str) -> None:
    client.back_up()
    client.scrub()
    name = client.host.sh(
        f"cd {client.place}; head -c 500 /dev/urandom > /tmp/junk; set -- $(sha256sum /tmp/junk);"
        f"runuser -u {client.account} -- cp /tmp/junk {kind}/$1; echo $1"
    ).strip()
    with pytest.raises(LabError, match="ciphertext verification failed"):
        client.restores()
    clear = "tell(junk.clear(given['client'], time.time()))"
    assert client.scrub()["state"] == "ok"
    assert client.host.python(clear, client=client.name)["aside"] == [name]
    assert client.restores()
    assert client.scrub()["state"] == "ok"


def test_a_damaged_index_is_left_where_it_is(client: Client) -> None:
    client.back_up()
    client.host.sh(f"cd {client.place}/index; printf X | dd of=$(ls) bs=1 seek=9 conv=notrunc")
    clear = "tell(junk.clear(given['client'], time.time()))"
    assert client.host.python(clear, client=client.name)["state"] == "ok"
    assert client.host.sh(f"ls {client.place}/index")
    assert client.check()["state"] == "problems"


def test_what_is_still_being_written_is_no_damage(client: Client) -> None:
    client.back_up()
    pack = f"{client.place}/{data(client)[0]}"
    client.host.sh(f"cp -p {pack} /tmp/pack; truncate -s 1000 {pack}; touch {pack}")
    result = client.scrub()
    assert (result["state"], result["unsettled"]) == ("ok", 1)
    client.host.sh(f"cat /tmp/pack > {pack}")
    result = client.scrub()
    assert (result["state"], result["unsettled"]) == ("ok", 0)


def test_a_scrub_goes_on_where_its_budget_ended(client: Client) -> None:
    client.back_up()
    first = client.scrub(budget=1)
    assert (first["read_files"], first["last_whole"]) == (1, None)
    assert client.scrub(budget=1)["read_files"] == 1
    last = client.scrub()
    assert last["read_files"] == last["files"] - 2
    assert last["last_whole"]


def test_a_refused_deletion_is_an_alert_and_a_backup_is_none(client: Client) -> None:
    kept = client.back_up()
    again = client.back_up()
    client.host.sh(f"touch -d '1 hour ago' {client.place}/snapshots/{kept}")
    code = "tell(refused.collect().get(given['client']))"
    assert client.host.python(code, client=client.name) is None
    client.host.sh(f"timeout -s INT 45 env {client.words(f'forget {kept}')} || true")
    alert = client.host.python(code, client=client.name)
    assert alert["count"] >= 1
    assert alert["latest"][-1]["path"] == f"snapshots/{kept}"
    assert client.host.python(code, client=client.name)["count"] == alert["count"]
    assert client.snapshots() == {kept, again}


def test_old_snapshots_go_and_the_client_goes_on(client: Client) -> None:
    client.write("old", 2_000_000)
    old = client.back_up(days_ago=200)
    client.host.sh(f"rm {client.files}/old")
    kept = client.back_up()
    client.scrub()
    result = client.retain(shrunk_share=1)
    assert (result["state"], result["forgotten"]) == ("done", 1), result
    assert result["freed_bytes"] > 1_000_000
    assert client.snapshots() == {kept}
    assert old not in client.snapshots()
    assert client.scrub()["state"] == "ok"
    assert client.restores()
    client.back_up()


@pytest.mark.parametrize("day", ["2020-01-01 10:00:00", "2037-01-01 10:00:00"])
def test_a_snapshot_dated_oddly_stops_retention_until_it_is_accepted(
    client: Client, day: str
) -> None:
    client.back_up(days_ago=200)
    client.back_up()
    odd = client.back_up(f"--time '{day}'")
    before = client.snapshots()
    for _ in range(2):
        result = client.retain()
        assert (result["state"], result["why"]) == ("refused", ["misdated"])
        assert [each["id"] for each in result["suspects"]] == [odd]
    assert client.snapshots() == before
    client.accept(odd)
    assert client.retain()["state"] == "done"


def test_a_flood_stops_retention(client: Client) -> None:
    client.back_up(days_ago=200)
    for _ in range(4):
        client.back_up()
    before = client.snapshots()
    assert client.retain(flood=3)["why"] == ["flood"]
    assert client.snapshots() == before
    assert client.retain(flood=4)["why"] == ["flood"]


def test_a_backup_that_shrank_stops_retention(client: Client) -> None:
    for days in (200, 3, 2):
        client.back_up(days_ago=days)
    client.host.sh(f"echo all gone > {client.files}/first")
    small = client.back_up()
    result = client.retain()
    assert (result["state"], result["why"]) == ("refused", ["shrunk"])
    client.accept(small)
    assert client.retain()["state"] == "done"
    client.back_up()
    assert client.retain()["state"] == "done"


def test_retention_leaves_as_many_as_it_must(client: Client) -> None:
    client.back_up(days_ago=200)
    client.back_up()
    assert client.retain(left_at_least=2)["state"] == "refused"
    assert len(client.snapshots()) == 2


def test_an_unreadable_snapshot_stops_retention(client: Client) -> None:
    broken = client.back_up(days_ago=200)
    client.back_up()
    client.host.sh(f"echo >> {client.place}/snapshots/{broken}")
    assert client.retain()["why"] == ["unreadable"]
    assert len(client.snapshots()) == 2


@pytest.fixture
def started(client: Client) -> Iterator[Client]:
    """A client of whose second backup, a large one, some has come."""
    client.back_up(days_ago=200)
    client.write("large", 60_000_000)
    packs = len(data(client))
    words = client.words(f"--limit-upload 4000 backup {client.files}")
    client.host.lab.write(
        client.host.name, "/root/backup", f"{words}; echo $? > /tmp/status".encode()
    )
    client.host.sh("rm -f /tmp/status; setsid sh /root/backup < /dev/null > /tmp/said 2>&1 &")
    until(lambda: len(data(client)) > packs, "a pack has come", 180, pause=0.2)
    yield client
    client.host.sh("pkill -KILL restic || true")


def test_nothing_is_pruned_while_a_backup_is_suspended(started: Client) -> None:
    client = started
    client.host.sh("pkill -STOP restic")
    before = client.host.sh(f"cd {client.place}; find data index snapshots -type f | sort")
    client.host.sh(f"find {client.place}/locks -type f -exec touch -d '9 hours ago' {{}} +")
    result = client.retain(wait_seconds=1)
    assert result["state"] == "postponed", result
    assert "suspended" in result["why"][0]
    assert client.host.sh(f"cd {client.place}; find data index snapshots -type f | sort") == before
    client.host.sh("pkill -CONT restic")
    until(lambda: client.host.sh("cat /tmp/status 2>/dev/null || true"), "it has ended", 180)
    assert client.host.sh("cat /tmp/status").strip() == "0"
    assert client.restores()


def test_a_killed_backup_holds_pruning_up_for_a_while_only(started: Client) -> None:
    client = started
    client.host.sh("pkill -KILL restic")
    until(lambda: not client.host.sh(f"pgrep -u {client.account} || true"), "rclone has ended")
    assert client.retain()["state"] == "postponed"
    client.host.sh(f"find {client.place}/locks -type f -exec touch -d '9 hours ago' {{}} +")
    assert client.retain()["state"] == "done"
    client.back_up()
    assert client.restores()


def test_what_a_killed_prune_left_is_mended(client: Client) -> None:
    client.write("old", 2_000_000)
    client.back_up(days_ago=200)
    client.host.sh(f"rm {client.files}/old")
    client.back_up()
    client.scrub()
    code = """
    import signal
    asked = upkeep.ask
    def killed(client, *arguments, seconds):
        if arguments[0] == "prune":
            os.kill(os.getpid(), signal.SIGKILL)
        return asked(client, *arguments, seconds=seconds)
    upkeep.ask = killed
    places.save(retain.POLICY, {"keep_within": "90d", "left_at_least": 1, "shrunk_share": 1})
    if not os.fork():
        retain.retain(given["client"], time.time())
    os.wait()
    tell(access.is_withdrawn(given["client"]))
    """
    assert client.host.python(code, client=client.name)
    client.host.sh(f"! {client.words('snapshots')} 2>/dev/null")
    with pytest.raises(LabError, match="later"):
        client.host.enroll(client.name)
    client.host.python("retain.mend(given['client'])", client=client.name)
    assert client.scrub()["state"] == "ok"
    client.back_up()
    assert client.restores()


def test_check_finds_what_is_damaged_and_waits_for_backups(client: Client) -> None:
    client.back_up()
    assert [client.check(parts=2)["part"] for _ in range(3)] == [1, 2, 1]
    assert client.check()["state"] == "ok"
    client.host.sh(f"cd {client.place}; runuser -u {client.account} -- touch locks/{'d' * 64}")
    assert client.check()["state"] == "postponed"
    pack = data(client)[0]
    client.host.sh(f"cd {client.place}; rm locks/*; printf X | dd of={pack} bs=1 conv=notrunc")
    result = client.check()
    assert result["state"] == "problems"
    assert pack.rpartition("/")[2] in result["problems"][0]


def test_one_client_that_cannot_be_cared_for_does_not_stop_the_others(host: VaultHost) -> None:
    broken, well = host.enroll("a-broken"), host.enroll("b-well")
    well.back_up()
    host.sh(f"echo wrong > /etc/luytre-vault/maintenance/{broken.name}")
    only = [broken.name, well.name]
    ends = host.python(f"{_ONLY}; tell(care.care())", only=only)
    assert ends[broken.name]["check"] == "problems"
    assert ends[broken.name]["retention"] == "failed"
    assert ends[broken.name]["scrub"] == "ok"
    assert set(ends[well.name].values()) == {"ok", "done"}
    there = well.snapshots().pop()
    looked_for = {well.name: [there[:8], "0" * 8]}
    code = f"{_ONLY}; tell(care.survey(given['looked_for'])['clients'])"
    said = host.python(code, only=only, looked_for=looked_for)
    assert "wrong password" in said[broken.name]["problem"]
    assert said[well.name]["care"]["retention"]["state"] == "done"
    assert (said[well.name]["snapshots"], said[well.name]["lacks"]) == (1, ["0" * 8])
    assert time.time() - said[well.name]["newest"] < 600
    assert said[well.name]["free_bytes"] > 0


def test_care_never_goes_on_twice(host: VaultHost) -> None:
    code = """
    with care.alone():
        try:
            care.care()
        except care.Busy:
            tell("busy")
    """
    assert host.python(code) == "busy"


def test_a_survey_decrypts_nothing_where_nothing_is_new(client: Client) -> None:
    client.back_up()
    code = "tell(snapshots.of(given['client']))"
    first = client.host.python(code, client=client.name)
    client.host.sh(f"mv /etc/luytre-vault/maintenance/{client.name} /tmp/kept")
    assert client.host.python(code, client=client.name) == first
    client.host.sh(f"mv /tmp/kept /etc/luytre-vault/maintenance/{client.name}")
    client.back_up()
    assert len(client.host.python(code, client=client.name)["snapshots"]) == 2


def test_a_full_repository_is_told_and_old_snapshots_come_back(host: VaultHost) -> None:
    place = "/srv/luytre-vault/full"
    host.sh(f"install -d {place}; mount -t tmpfs -o size=24m,mode=755 none {place}")
    client = host.enroll("full")
    client.write("old", 4_000_000)
    client.back_up(days_ago=200)
    client.host.sh(f"rm {client.files}/old")
    kept = client.back_up()
    client.write("large", 40_000_000)
    host.sh(f"timeout -s INT 15 env {client.words(f'backup {client.files}')} || true")
    # What the interrupted backup still wrote goes with its end, and would leave room.
    until(lambda: not host.sh(f"pgrep -u {client.account} || true"), "rclone has ended")
    host.sh(f"rm {client.files}/large")
    assert client.restores(kept)
    # A lock that goes would leave just the room that retention needs.
    host.sh(f"find {client.place}/locks -type f -delete")
    fill = f"runuser -u {client.account} -- dd if=/dev/zero of={client.place}/data/fill bs=1M"
    host.sh(f"{fill} 2>/dev/null || true")
    policy = {"keep_within": "90d", "left_at_least": 1, "shrunk_share": 1}
    host.python("places.save(retain.POLICY, given['policy'])", policy=policy)
    host.python(f"{_ONLY}; care.care('retention')", only=["full"])
    told = host.python(f"{_ONLY}; tell(care.survey()['clients']['full'])", only=["full"])
    assert told["free_bytes"] < 100_000
    assert (told["care"]["retention"]["state"], told["problem"]) == ("failed", None)
    assert "no space left" in told["care"]["retention"]["why"][0]
    # Where nothing can be written, no lock can either.
    assert client.restores(f"--no-lock {kept}")
    host.sh(f"rm {client.place}/data/fill")
    assert client.retain(shrunk_share=1)["freed_bytes"] > 3_000_000
    client.back_up()
    host.sh(f"umount {place}")


def test_a_client_with_a_newer_restic_is_cared_for_as_well(host: VaultHost) -> None:
    machine = Machine(host.lab, "newer", "")
    key = host.lab.read(host.name, f"{ROOM}/key")
    host.lab.write(machine.name, f"{ROOM}/key", key, 0o600)
    client = host.enroll("newer", machine)
    client.write("old", 2_000_000)
    old = client.back_up(days_ago=200)
    machine.sh(f"rm {client.files}/old")
    client.back_up()
    assert client.retain(shrunk_share=1)["freed_bytes"] > 1_000_000
    assert old not in client.snapshots()
    assert (client.check()["state"], client.scrub()["state"]) == ("ok", "ok")
    client.back_up()
    assert client.restores()
