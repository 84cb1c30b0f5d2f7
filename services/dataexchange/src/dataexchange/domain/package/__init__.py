"""The transfer package: archive, manifest, records, building, opening. The format page is docs/api/exchange.md."""
