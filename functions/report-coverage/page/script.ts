/**
 * The script of the page, which filters and sorts the rows of the table. It reads what it needs from the cells at the first use,
 * so the page opens without waiting for it. Without the script, the table shows all rows, worst first.
 *
 * The script puts the listed rows into table bodies of `data-rows` rows, as the page has them from the start, and keeps the
 * other rows out of the document. The browser then computes the layout of the visible table bodies only.
 */
export const SCRIPT = `
(() => {
  const table = document.getElementById("list");
  const form = document.forms[0];
  const output = document.querySelector("output");
  const empty = document.getElementById("empty");
  const rowsPerBody = Number(table.dataset.rows);
  const headings = [...table.tHead.rows[0].cells];
  const direct = { ascending: 1, descending: -1 };
  let rows;

  const readRows = () => (rows ??= [...table.tBodies].flatMap((body) => [...body.rows]).map((row, place) => ({
    row, place, state: row.className, type: row.cells[2].textContent, text: row.textContent.toLowerCase(), keys: [],
  })));

  const readKey = {
    place: ({ place }) => place,
    text: (_, cell) => cell.firstChild.textContent.toLowerCase().replace(/\\d+/g, (digits) => digits.padStart(12, "0")),
    number: (_, cell) => parseFloat(cell.textContent),
    days: (_, cell) => cell?.querySelector(".g")?.getAttribute("d").split("M").length,
  };
  const isMissing = (key) => key === undefined || key === "" || key !== key;

  function sortBy(column) {
    const heading = headings[column];
    const order = heading.ariaSort === "ascending" ? "descending" : "ascending";
    for (const each of headings) each.removeAttribute("aria-sort");
    heading.ariaSort = order;
    const read = readKey[heading.dataset.sort];
    for (const entry of readRows()) entry.key = entry.keys[column] ??= read(entry, entry.row.cells[column]);
    // A row without a value comes last in both directions.
    rows.sort((a, b) => isMissing(a.key) - isMissing(b.key) ||
      (a.key < b.key ? -direct[order] : a.key > b.key ? direct[order] : a.place - b.place));
    update();
  }

  function update() {
    const states = new Set([...form.querySelectorAll(":checked[name=state]")].map(({ value }) => value));
    const type = form.elements.type.value;
    const words = form.elements.text.value.toLowerCase().split(/\\s+/).filter(Boolean);
    const listed = readRows().filter((entry) => (states.size === 0 || states.has(entry.state)) &&
      (type === "" || type === entry.type) && words.every((word) => entry.text.includes(word)));
    // Rows move faster while they are not in the document.
    table.replaceChildren(table.caption, table.tHead);
    const bodies = [];
    for (let start = 0; start < listed.length; start += rowsPerBody) {
      const body = document.createElement("tbody");
      body.append(...listed.slice(start, start + rowsPerBody).map(({ row }) => row));
      bodies.push(body);
    }
    table.append(...bodies);
    const isFiltered = states.size > 0 || type !== "" || words.length > 0;
    output.value = isFiltered ? "Showing " + listed.length.toLocaleString("en") + " of " + rows.length.toLocaleString("en") : "";
    form.elements.clear.hidden = !isFiltered;
    empty.hidden = listed.length > 0 || rows.length === 0;
  }

  for (const [column, heading] of headings.entries()) {
    if (!heading.dataset.sort) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sortBy(column));
  }
  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.elements.clear.addEventListener("click", () => {
    form.reset();
    update();
    form.elements.text.focus();
  });
  for (const control of document.querySelectorAll(".js")) control.hidden = false;
})();
`;
