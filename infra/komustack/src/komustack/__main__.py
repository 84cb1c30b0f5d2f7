"""`python -m komustack <command>`: what the Makefile calls."""

import argparse
import os
import shlex
import sys

from komustack.say import Problem

_COMMANDS = [
    "up", "down", "reset", "restart", "run", "info", "status", "logs", "code", "second-factor", "prepare", "renew",
]  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="komustack", description="The local stack of Komu.")
    parser.add_argument("command", choices=_COMMANDS)
    parser.add_argument("--stack", default=os.environ.get("STACK") or "main")
    parser.add_argument("--port", type=int, default=None, help="first port of the range")
    parser.add_argument("--only", default=None, help="parts (no services), or services: roster,portal")
    parser.add_argument("--service", action="append", default=[])
    parser.add_argument("--user", default="")
    parser.add_argument("--do", default="", help="run: what the service's program is told, as one text")
    asked = parser.parse_args(arguments)
    from komustack import commands, watching  # late: `--help` and wrong arguments answer at once
    from komustack.stack import open_stack, recall_given_parts

    try:
        recall_given_parts(open_stack(asked.stack, asked.port))
        match asked.command:
            case "up":
                commands.up(asked.stack, asked.port, asked.only)
            case "down":
                commands.down(asked.stack)
            case "reset":
                commands.reset(asked.stack)
            case "restart":
                commands.restart(asked.stack, asked.service)
            case "run":
                return commands.run(asked.stack, next(iter(asked.service), ""), shlex.split(asked.do))
            case "info":
                watching.info(asked.stack)
            case "status":
                watching.status(asked.stack)
            case "logs":
                watching.logs(asked.stack, next(iter(asked.service), None))
            case "code":
                watching.code(asked.stack, asked.user)
            case "second-factor":
                commands.issue_second_factor(asked.stack, asked.user)
            case "prepare":
                commands.prepare()
            case "renew":
                from komustack.renew import renew_for_ever

                renew_for_ever(open_stack(asked.stack))
    except Problem as problem:
        print(f"\n✗ {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\n中断しました。make up で続きから、make down で停止できます。/ interrupted: make up continues, "
            "make down stops.",
            file=sys.stderr,
        )
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
