"""The `bodycam` command: a static table of names, each loaded when it's used.

The core imports nobody above it: commands of `dock_service` and `webui` are named here as text only. A scan of entry points
would cost eight times a bare Python start.
"""

import importlib
import sys

import click

from bodycam.errors import BodycamError

COMMANDS = {
    "up": ("bodycam.cli.up:up", "Chạy tất cả trên một máy / Run everything on one machine"),
    "doctor": ("bodycam.cli.doctor:doctor", "Có gì chưa ổn, phải làm gì / What is wrong and what to do"),
    "usb": ("dock_service.cli.usb:usb", "Những gì đang cắm / What hangs on the bus"),
    "offload": ("dock_service.cli.offload:offload", "Lấy dữ liệu một máy / Offload one camera now"),
    "inspect": ("bodycam.cli.inspect:inspect", "Tệp là gì / What a file is"),
    "check": ("bodycam.cli.check:check", "Kiểm tra thời gian, vị trí / Check time and place"),
    "recordings": ("bodycam.cli.recordings:recordings", "Danh mục bản ghi / The catalogue"),
    "case": ("bodycam.cli.case:case", "Hồ sơ vụ việc / Cases"),
    "coverage": ("bodycam.cli.coverage:coverage", "Những gì còn thiếu / What is still missing"),
    "import": ("bodycam.cli.importing:import_", "Nhập cán bộ, thiết bị / Import people and cameras"),
    "account": ("bodycam.cli.account:account", "Tài khoản / Accounts"),
    "station": ("bodycam.cli.station:station", "Trạm cắm và màn hình trạm / Stations and their kiosks"),
    "log": ("bodycam.cli.log:log", "Nhật ký chứng cứ / The custody log"),
    "witness": ("bodycam.cli.witness:witness", "Bên xác nhận độc lập / An independent witness"),
    "package": ("bodycam.cli.package:package", "Gói chứng cứ / Evidence packages"),
    "journal": ("dock_service.cli.journal:journal", "Nhật ký của trạm cắm / The dock's own journal"),
    "vault": ("bodycam.cli.vault:vault", "Kho lưu trữ / The vault"),
    "backup": ("bodycam.cli.backup:backup", "Sao lưu / Back up"),
    "restore": ("bodycam.cli.backup:restore", "Khôi phục / Restore a backup"),
    "db": ("bodycam.cli.db:db", "Cơ sở dữ liệu / The database"),
    "config": ("bodycam.cli.config:config", "Cấu hình / Settings"),
}


class Table(click.Group):
    """A group whose commands are imported only when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands from the table, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=Table, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bodycam")
def cli() -> None:
    """Quản lý máy ghi hình gắn người: lấy dữ liệu, khóa chống sửa, kiểm tra, giám sát.

    Body-worn camera management: offload, seal, verify, supervise.

    Example: bodycam up --demo
    """


def main() -> None:
    """Run the command; an error of ours or of the system is two lines on standard error and an exit code, no trace."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BodycamError as error:
        for text in dict.fromkeys([error.text("vi"), error.text("en")]):
            click.echo(text, err=True)
        sys.exit(error.exit_code)
    except OSError as error:  # a full disk, a folder without rights: the person can do something about it
        click.echo(f"Hệ điều hành không cho làm / The system refused: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
