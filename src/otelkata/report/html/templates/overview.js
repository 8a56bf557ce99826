"use strict";
const table = document.querySelector(".matrix");
const body = table.tBodies[0];
const rows = [...body.rows];
const headers = [...table.tHead.rows[0].cells];
const named = document.getElementById("named");
const shown = document.getElementById("shown");
const names = new Map(rows.map((row) => [row, row.cells[0].textContent.toLowerCase()]));
const worst = { f: 0, o: 0, q: 1, n: 2, h: 2, p: 3 };

function key(row, column) {
  const cell = row.cells[column];
  if (column === 0) return names.get(row).replace(/^[^:]*: /, "");
  if (column <= 2) return parseInt(cell.textContent || "-1", 10);
  return worst[cell.classList[0]];
}

function sort(column) {
  const header = headers[column];
  const down = header.getAttribute("aria-sort") === "ascending";
  for (const other of headers) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  const keyed = rows.map((row, number) => [key(row, column), number, row]);
  keyed.sort(([a, n], [b, m]) => (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1) || n - m);
  body.append(...keyed.map(([, , row]) => row));
}

function filter() {
  const text = named.value.trim().toLowerCase();
  const [is, verdict] = shown.value.split(" ");
  let number = 0;
  for (const row of rows) {
    const fits = !is || (verdict ? row.className === verdict : "fo".includes(row.cells[is].classList[0]));
    row.hidden = !(fits && names.get(row).includes(text));
    number += !row.hidden;
  }
  document.getElementById("found").textContent = `${number} of ${rows.length}`;
}

headers.forEach((header, column) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...header.childNodes);
  button.addEventListener("click", () => sort(column));
  header.append(button);
});
headers[0].setAttribute("aria-sort", "ascending");
named.addEventListener("input", filter);
shown.addEventListener("change", filter);
document.querySelector(".controls").hidden = false;
filter();
