// Copies permanent links, and filters the ledger. The book reads the same without it.
document.addEventListener("DOMContentLoaded", () => {
  for (const link of document.querySelectorAll("a.pe-link")) {
    link.addEventListener("click", async () => {
      if (!navigator.clipboard) return;
      try {
        await navigator.clipboard.writeText(link.href);
        link.classList.add("copied");
        setTimeout(() => link.classList.remove("copied"), 1500);
      } catch { /* the address bar holds the link anyway */ }
    });
  }
  const panel = document.querySelector(".ledger-search");
  if (!panel) return;
  const [words, status, count] = ["input", "select", "output"].map((tag) => panel.querySelector(tag));
  const rows = [...document.querySelectorAll("tr.ledger-row")];
  const text = rows.map((row) => row.textContent.toLowerCase());
  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !(wanted.every((word) => text[i].includes(word)) && (!status.value || row.dataset.status === status.value));
      shown += !row.hidden;
    });
    count.textContent = `${shown} of ${rows.length} labels`;
  };
  panel.hidden = false;
  words.addEventListener("input", filter);
  status.addEventListener("change", filter);
  filter();
});
