"""Settings: where they come from, and what stops the start."""

from pathlib import Path

import pytest

from bodycam.settings import SettingsError, load_settings, read_sources


def test_the_data_folder_moves_everything_the_embedded_default_writes(tmp_path: Path) -> None:
    settings = load_settings({"BODYCAM_DATA_DIR": str(tmp_path)})
    written = [settings.vault.dir, settings.spool.dir, settings.log.dir, settings.keys.dir]
    assert all(path.is_relative_to(tmp_path) for path in written)
    assert settings.database.url == f"sqlite:///{tmp_path / 'bodycam.db'}"


def test_a_site_file_wins_over_the_default_and_the_environment_over_both(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text("[staff]\nport = 9000\n[public]\nport = 9001\n")
    values = read_sources({"BODYCAM_CONFIG": str(site), "BODYCAM_STAFF__PORT": "9100"})
    assert (values["staff.port"].value, values["staff.port"].source) == ("9100", "BODYCAM_STAFF__PORT")
    assert (values["public.port"].value, values["public.port"].source) == (9001, str(site))
    assert values["dock.slots"].source == "default.toml"


def test_the_language_can_be_set_from_the_environment() -> None:
    assert load_settings({"BODYCAM_LANGUAGE": "en"}).language == "en"


@pytest.mark.parametrize(
    ("environ", "key"),
    [
        ({"BODYCAM_STAF__PORT": "1"}, "staf.port"),
        ({"BODYCAM_STAFF__PORT": "many"}, "staff.port"),
        ({"BODYCAM_STAFF__PORT": "8081"}, "public.port"),
        ({"BODYCAM_STAFF__HOST": "0.0.0.0"}, "staff.host"),
        ({"BODYCAM_STAFF__TLS_CERT": "a.pem"}, "staff.tls_cert"),
        ({"BODYCAM_DATABASE__URL": "mysql://x"}, "database.url"),
        ({"BODYCAM_BROKER__URL": "sqs://x"}, "broker.url"),
        ({"BODYCAM_WORKER__EMBEDDED": "false"}, "worker.embedded"),
        ({"BODYCAM_DEMO": "true"}, "dock.bus"),
        ({"BODYCAM_DEMO": "perhaps"}, "demo"),
        ({"BODYCAM_VAULT__URL": "s3://bucket"}, "vault.url"),
        ({"BODYCAM_VAULT__COPIES": "/mnt/second"}, "vault.copies"),
        ({"BODYCAM_VAULT__COPIES": "file:///mnt/a, file:///mnt/b"}, "vault.copies"),
        (
            {"BODYCAM_VAULT__COPIES": "file:///mnt/vault/second", "BODYCAM_VAULT__URL": "file:///mnt/vault"},
            "vault.copies",
        ),
        ({"BODYCAM_VAULT__COPIES": "s3://B?endpoint=https://s3.local"}, "vault.copies"),
        ({"BODYCAM_VAULT__COPIES": "s3://bucket?endpoint=s3.local"}, "vault.copies"),
        ({"BODYCAM_VAULT__COPIES": "s3://bucket?endpoint=http://s3.local"}, "vault.copies"),
        ({"BODYCAM_VAULT__COPIES": "s3://bucket?lock_days=forever"}, "vault.copies"),
        ({"BODYCAM_VAULT__COPIES": "s3://bucket?secret_access_key=x"}, "vault.copies"),
        ({"BODYCAM_VAULT__REQUIRED_COPIES": "2"}, "vault.required_copies"),
    ],
)
def test_a_bad_setting_stops_the_start_and_names_its_key(environ: dict[str, str], key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    assert caught.value.values["key"] == key


def test_an_unknown_key_in_a_site_file_is_refused_with_the_file_named(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text("[dock]\nslot = 3\n")
    with pytest.raises(SettingsError, match=r"dock\.slot.*site\.toml"):
        load_settings({"BODYCAM_CONFIG": str(site)})


def test_a_missing_or_broken_site_file_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("[dock\n")
    for path in (broken, tmp_path / "absent.toml"):
        with pytest.raises(SettingsError, match=path.name):
            load_settings({"BODYCAM_CONFIG": str(path)})


def test_copies_are_listed_as_urls_apart_by_commas() -> None:
    urls = "file:///mnt/second, s3://bucket/evidence?endpoint=https://s3.local:8333&lock_days=30"
    vault = load_settings({"BODYCAM_VAULT__COPIES": urls, "BODYCAM_VAULT__REQUIRED_COPIES": "3"}).vault
    assert vault.second_dir == Path("/mnt/second")
    assert vault.bucket is not None
    assert (vault.bucket.name, vault.bucket.prefix) == ("bucket", "evidence/")
    assert (vault.bucket.endpoint, vault.bucket.lock_days) == ("https://s3.local:8333", 30)
