"""python -m portal serve|migrate"""

import argparse

from portal.settings import PortalSettings


def main() -> None:
    parser = argparse.ArgumentParser(prog="portal", description="Staff web pages")
    parser.add_argument("command", choices=("serve", "migrate"))
    command = parser.parse_args().command
    settings = PortalSettings()
    if command == "migrate":
        from servicekit.migrate import upgrade

        if settings.migration_url is None:
            parser.error("KOMU_MIGRATION_URL is missing: the address of the owner role")
        upgrade("portal", settings.migration_url)
    else:
        from servicekit.process import run

        from portal.app import serve

        run(serve(settings))


if __name__ == "__main__":
    main()
