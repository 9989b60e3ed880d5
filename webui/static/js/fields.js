// What a browser says about an empty field is in its own language, not in the page's: say it in the page's.
const vi = document.documentElement.lang === "vi";

addEventListener("invalid", (event) => {
  const field = event.target;
  if (!field.validity.valueMissing) return;
  const isChoice = field.type === "radio" || field.tagName === "SELECT";
  const [inVietnamese, inEnglish] = isChoice ? ["Chọn một mục", "Choose one"] : ["Cần điền ô này", "Fill this in"];
  field.setCustomValidity(vi ? inVietnamese : inEnglish);
}, true);
addEventListener("input", (event) => {
  for (const field of event.target.form?.elements ?? []) field.setCustomValidity?.("");
}, true);
