// Runs before the first paint, so that nobody who chose dark sees a white flash. Enters: what was chosen here
// before. Leaves: `data-theme` on the document, where a choice was made.
{
  let chosen = null;
  try {
    chosen = localStorage.getItem("leafsight.theme");
  } catch {
    // Storage may be forbidden; the system's choice holds then.
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}
