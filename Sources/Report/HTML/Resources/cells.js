// The list of a matrix: filtered by words and outcomes, sorted by any column.

for (const form of document.querySelectorAll("form.filter")) {
  const table = form.parentElement.querySelector("table.cells");
  const rows = [...table.tBodies[0].rows];
  const words = form.elements.namedItem("words");
  const boxes = [...form.querySelectorAll("input[name=outcome]")];
  const output = form.querySelector("output");

  const filter = () => {
    const wanted = words.value.toLowerCase().trim();
    const outcomes = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let count = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !outcomes.has(row.dataset.outcome) || !text.includes(wanted);
      if (!row.hidden) count += 1;
    }
    output.textContent = `${count} of ${rows.length} cells`;
  };

  const sort = (column, isDescending) => {
    const key = (row) => row.cells[column].textContent.trim();
    const order = (a, b) => {
      const [x, y] = [key(a), key(b)];
      const [m, n] = [parseFloat(x), parseFloat(y)];
      const isNumeric = !Number.isNaN(m) && !Number.isNaN(n);
      return (isNumeric ? m - n : x.localeCompare(y)) * (isDescending ? -1 : 1);
    };
    rows.sort(order);
    table.tBodies[0].append(...rows);
  };

  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const isDescending = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
      sort(column, isDescending);
    });
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", filter);
  form.hidden = false;
  filter();
}
