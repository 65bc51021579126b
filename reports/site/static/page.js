"use strict";
// The page is whole without this script: it adds sorting, filtering, sentences and copying.
(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const byId = (id) => document.getElementById(id);

  // --- leaderboard: sort ------------------------------------------------------------------------
  const board = byId("board");
  const body = board ? board.tBodies[0] : null;
  const rows = body ? Array.from(body.rows) : [];
  const heads = board ? all("th[data-key]", board.tHead) : [];
  const declared = new Map(rows.map((row, at) => [row, at]));
  let sorted = { column: -1, down: false };

  const order = new Intl.Collator("en", { numeric: true });
  const compare = (column, number, down) => (one, other) => {
    const a = one.cells[column].dataset.v;
    const b = other.cells[column].dataset.v;
    // Rows without a value come last, whichever way round.
    if (a === "" || b === "") {
      return (a === "" ? 1 : 0) - (b === "" ? 1 : 0) || declared.get(one) - declared.get(other);
    }
    const way = number ? Number(a) - Number(b) : order.compare(a, b);
    return (down ? -way : way) || declared.get(one) - declared.get(other);
  };

  const groups = () => {
    const grouped = sorted.column < 0 || heads[sorted.column].dataset.key === "noise";
    let last = null;
    for (const row of body.rows) {
      if (row.hidden) continue;
      row.classList.toggle("opens", grouped && row.dataset.group !== last);
      last = row.dataset.group;
    }
  };

  const sortBy = (column) => {
    const head = heads[column];
    const down = sorted.column === column ? !sorted.down : "down" in head.dataset;
    sorted = { column, down };
    rows.sort(compare(column, "number" in head.dataset, down));
    body.append(...rows);
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    groups();
  };

  heads.forEach((head, column) => {
    const label = head.querySelector(".label");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    label.replaceWith(button);
    button.append(label);
    button.addEventListener("click", () => sortBy(column));
  });

  // --- leaderboard: filter ----------------------------------------------------------------------
  const controls = byId("controls");
  const filter = () => {
    const words = byId("f-text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = all("select[data-filter]", controls).filter((select) => select.value !== "");
    let shown = 0;
    for (const row of rows) {
      const text = row.dataset.text;
      const pass =
        words.every((word) => text.includes(word)) &&
        chosen.every((select) => row.dataset[select.dataset.filter] === select.value) &&
        (!byId("f-best").checked || row.dataset.best === "1") &&
        (!byId("f-whole").checked || row.dataset.whole === "1");
      row.hidden = !pass;
      shown += pass ? 1 : 0;
    }
    byId("f-count").textContent = `${shown} of ${rows.length} rows`;
    byId("no-rows").hidden = shown > 0;
    groups();
  };
  if (board) {
    for (const row of rows) {
      const words = [row.dataset.method, row.dataset.type];
      words.push(...all("td.said", row).map((c) => c.textContent));
      row.dataset.text = words.join(" ").toLowerCase();
    }
    controls.hidden = false;
    controls.addEventListener("input", filter);
    byId("f-reset").addEventListener("click", () => {
      for (const field of all("input, select", controls)) {
        if (field.type === "checkbox") field.checked = false;
        else field.value = "";
      }
      filter();
    });
    filter();
  }

  // --- significance: the sentence of a cell -----------------------------------------------------
  for (const matrices of all(".matrices")) {
    const readout = matrices.previousElementSibling;
    readout.hidden = false;
    readout.textContent = "Point at a cell, or tab to it, to read the comparison in words.";
    const say = (event) => {
      const cell = event.target.closest("td[data-sentence]");
      if (cell) readout.textContent = cell.dataset.sentence;
    };
    for (const cell of all("td[title]", matrices)) {
      cell.dataset.sentence = cell.title;
      cell.removeAttribute("title"); // the readout says it; a tooltip would say it twice
      const button = document.createElement("button");
      button.type = "button";
      button.className = "cell";
      button.setAttribute("aria-label", cell.dataset.sentence);
      const old = cell.querySelector(".cell");
      button.append(...old.childNodes);
      old.replaceWith(button);
    }
    for (const kind of ["mouseover", "focusin", "click"]) matrices.addEventListener(kind, say);
  }

  // --- wide tables: a hint where columns are out of sight --------------------------------------
  const wide = all(".scroll");
  const hint = (box) => {
    const more = box.scrollWidth > box.clientWidth + 1;
    const next = box.nextElementSibling;
    const there = next && next.className === "hint" ? next : null;
    box.classList.toggle("more", more);
    if (there) there.hidden = !more;
    if (!more || there) return;
    const words = document.createElement("p");
    words.className = "hint";
    words.textContent = "More columns: scroll sideways \u2192";
    box.after(words);
  };
  const watch = new ResizeObserver((entries) => entries.forEach((entry) => hint(entry.target)));
  for (const box of wide) watch.observe(box);

  // --- copying ----------------------------------------------------------------------------------
  const toast = byId("toast");
  let fade = 0;
  const tell = (text) => {
    toast.textContent = text;
    toast.hidden = false;
    clearTimeout(fade);
    fade = setTimeout(() => { toast.hidden = true; }, 2500);
  };
  const copyOldWay = (text) => {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "off";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return copyOldWay(text);
    }
  };
  for (const button of all("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const done = await copy(button.dataset.copy);
      button.focus();
      tell(done ? `Copied: ${button.dataset.copy}` : "Copying is not allowed here: select the text");
    });
  }

  // --- a link into closed details opens them; printing opens all --------------------------------
  const reveal = () => {
    const target = location.hash.length > 1 ? byId(decodeURIComponent(location.hash.slice(1))) : null;
    const inside = target ? target.closest("details") : null;
    if (inside && !inside.open) {
      inside.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", reveal);
  reveal();
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("details:not([open])");
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });
})();
