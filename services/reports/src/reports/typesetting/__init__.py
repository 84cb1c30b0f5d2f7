"""Documents into pages: fonts, Typst, what was shrunk or continued on 別紙."""
