(() => {
  const field = document.getElementById("filter"), count = document.getElementById("count");
  const rows = [...document.querySelectorAll("tr.r")].map((row) => ({
    row,
    rest: (row.dataset.q + " " + row.querySelector(".why").textContent).toLowerCase(),
    names: [...row.querySelectorAll(".n")].map((name) => [name, name.textContent.toLowerCase()]),
    fold: row.querySelector("details"),
  }));
  const show = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { row, rest, names, fold } of rows) {
      let here = 0;
      for (const [name, text] of names) {
        const fits = words.every((word) => text.includes(word) || rest.includes(word));
        name.hidden = !fits;
        here += fits;
      }
      row.hidden = !here;
      if (fold) fold.open = words.length > 0 && here < names.length;
      shown += here;
    }
    count.textContent = words.length ? `${count.dataset.label} ${shown}` : "";
  };
  field.closest("label").hidden = false;
  field.addEventListener("input", show);
  show();
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
})();
