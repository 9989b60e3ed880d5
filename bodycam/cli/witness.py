"""`bodycam witness`: hands the command line to the witness's own program, which stands alone and is audited alone."""

import click


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def witness(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Bên xác nhận độc lập / An independent witness: init, run, sign. It reads no settings of bodycam.

    Example: bodycam witness init --dir /var/lib/witness --name procuracy.example/w1
    """
    from bodycam.witness.__main__ import main  # late: other commands don't need it

    ctx.exit(main(list(arguments), "bodycam witness"))
