/**
 * The script of the page, which filters and sorts the rows of the table. It reads what it needs from the cells at the first use,
 * so the page opens without waiting for it. Without the script, the table shows all rows, worst first.
 *
 * Sorting takes the table body out of the document, puts the rows in order, and puts the body back, so the browser computes
 * the layout once.
 */
export const SCRIPT = `
(() => {
  const table = document.getElementById("list");
  const body = table.tBodies[0];
  const form = document.forms[0];
  const output = document.querySelector("output");
  const empty = document.getElementById("empty");
  const headings = [...table.tHead.rows[0].cells];
  let rows;

  const readRows = () => (rows ??= [...body.rows].map((row, place) => ({
    row, place, state: row.className, type: row.cells[2].textContent, text: row.textContent.toLowerCase(),
  })));

  const sortKey = {
    place: ({ place }) => place,
    text: ({ row }, column) => row.cells[column].textContent.toLowerCase().replace(/\\d+/g, (digits) => digits.padStart(12, "0")),
    number: ({ row }, column) => parseFloat(row.cells[column].textContent),
    age: ({ row }, column) => {
      const text = row.cells[column].textContent;
      return parseFloat(text) * (/^[\\d.]+ d/.test(text) ? 24 : 1);
    },
    days: ({ row }, column) => (row.cells[column]?.querySelector(".g")?.getAttribute("d") ?? "").split("M").length - 1 || NaN,
  };

  function sortBy(column) {
    const heading = headings[column];
    const direction = heading.ariaSort === "ascending" ? -1 : 1;
    for (const each of headings) each.removeAttribute("aria-sort");
    heading.ariaSort = direction === 1 ? "ascending" : "descending";
    const read = sortKey[heading.dataset.sort];
    const keyed = readRows().map((entry) => ({ row: entry.row, place: entry.place, key: read(entry, column) }));
    // A row without a value comes last in both directions.
    const isMissing = (key) => key !== key || key === "";
    keyed.sort((a, b) => isMissing(a.key) - isMissing(b.key) || (a.key < b.key ? -direction : a.key > b.key ? direction : a.place - b.place));
    body.remove();
    for (const { row } of keyed) body.append(row);
    table.append(body);
  }

  function applyFilter() {
    const states = new Set([...form.querySelectorAll(":checked[name=state]")].map(({ value }) => value));
    const type = form.elements.type.value;
    const words = form.elements.text.value.toLowerCase().split(/\\s+/).filter(Boolean);
    const isFiltered = states.size > 0 || type !== "" || words.length > 0;
    let shown = 0;
    for (const entry of readRows()) {
      const isShown = (states.size === 0 || states.has(entry.state)) && (type === "" || type === entry.type) &&
        words.every((word) => entry.text.includes(word));
      if (entry.row.hidden === isShown) entry.row.hidden = !isShown;
      if (isShown) shown += 1;
    }
    output.value = isFiltered ? "Showing " + shown.toLocaleString("en") + " of " + rows.length.toLocaleString("en") : "";
    form.elements.clear.hidden = !isFiltered;
    empty.hidden = shown > 0 || rows.length === 0;
  }

  for (const [column, heading] of headings.entries()) {
    if (!heading.dataset.sort) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sortBy(column));
  }
  form.addEventListener("input", applyFilter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.elements.clear.addEventListener("click", () => {
    form.reset();
    applyFilter();
    form.elements.text.focus();
  });
  document.documentElement.classList.add("js");
})();
`;
