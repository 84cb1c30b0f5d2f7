// What spreadsheets put on the clipboard: rows by line ends, cells by tabs, quotes around cells that hold either.

export function readTsv(text: string): string[][] {
  const rows: string[][] = [[]];
  let cell = "";
  let quoted = false;
  let fresh = true;
  const endCell = () => {
    rows[rows.length - 1]!.push(cell);
    cell = "";
    fresh = true;
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (quoted) {
      if (character !== '"') cell += character;
      else if (text[at + 1] === '"') {
        cell += '"';
        at++;
      } else quoted = false;
    } else if (character === '"' && fresh) {
      quoted = true;
      fresh = false;
    } else if (character === "\t") endCell();
    else if (character === "\n" || character === "\r") {
      if (character === "\r" && text[at + 1] === "\n") at++;
      endCell();
      rows.push([]);
    } else {
      cell += character;
      fresh = false;
    }
  }
  if (cell !== "" || rows[rows.length - 1]!.length > 0) endCell();
  else rows.pop();
  return rows;
}

export function writeTsv(rows: string[][]): string {
  return rows.map((row) => row.map((cell) => (/[\t\n\r"]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join("\t")).join("\n");
}
