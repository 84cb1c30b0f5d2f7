"""Starts one program as its specification says: `python launch.py SPEC.json`. Replaces itself by the program.

Keeps secrets out of the supervisor's configuration and gives up root where the program refuses to run as root.
Standard library only and importing nothing of the package: it stands in front of every start."""

import json
import os
import sys

with open(sys.argv[1], encoding="utf-8") as _file:
    _spec = json.load(_file)
_keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "TZ") if name in os.environ}
if _spec.get("uid") is not None:
    os.setgroups([])
    os.setgid(_spec["gid"])
    os.setuid(_spec["uid"])
os.chdir(_spec["cwd"])
os.execve(_spec["argv"][0], _spec["argv"], {**_keep, **_spec["env"]})  # noqa: S606 - no shell is wanted
