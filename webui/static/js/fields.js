// What a browser says about an empty field is in its own language, not in the page's: say it in the page's.
const vi = document.documentElement.lang === "vi";

addEventListener("invalid", (event) => {
  const field = event.target;
  if (!field.validity.valueMissing) return;
  const isChoice = field.type === "radio" || field.tagName === "SELECT";
  const words = { checkbox: ["Đánh dấu ô này", "Tick this box"], file: ["Chọn một tệp", "Choose a file"] }[field.type]
    ?? (isChoice ? ["Chọn một mục", "Choose one"] : ["Cần điền ô này", "Fill this in"]);
  const [inVietnamese, inEnglish] = words;
  field.setCustomValidity(vi ? inVietnamese : inEnglish);
}, true);
addEventListener("input", (event) => {
  for (const field of event.target.form?.elements ?? []) field.setCustomValidity?.("");
}, true);

// A file input's own words are the browser's: it hides behind its label, and what was chosen is said beside it.
addEventListener("change", (event) => {
  const shown = event.target.type === "file" && document.getElementById(event.target.dataset.shown);
  if (shown) shown.textContent = [...event.target.files].map((file) => file.name).join(", ");
});
