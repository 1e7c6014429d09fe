"use strict";
// The page "Choose a loss": shows the losses that give a reason for each tick, and their curves.
(() => {
  const form = document.getElementById("needs");
  if (!form) return;
  const choices = document.getElementById("choices");
  const overlays = document.getElementById("overlays");
  const items = [...choices.children];
  const left = document.getElementById("left");
  const COLOURS = 6;

  const ticked = () => [...form.querySelectorAll("input:checked")].map(box => box.value);

  function show() {
    const needs = ticked();
    const names = [];
    for (const item of items) {
      const reasons = item.dataset.needs.split(" ");
      item.hidden = !needs.length || !needs.every(need => reasons.includes(need));
      if (!item.hidden) names.push(item.dataset.name);
    }
    left.textContent = needs.length ? `${names.length} losses give a reason for each` : "nothing ticked";
    draw(names);
    history.replaceState(null, "", needs.length ? `#need=${needs.join(",")}` : location.pathname + location.search);
  }

  function draw(names) {
    for (const figure of overlays.children) {
      let shown = 0;
      for (const path of figure.querySelectorAll("path[data-name]")) {
        const chosen = names.includes(path.dataset.name);
        path.toggleAttribute("hidden", !chosen);
        // Beyond the colours curves are dashed.
        const again = shown >= COLOURS ? " again" : "";
        if (chosen) path.setAttribute("class", `curve c${shown % COLOURS}${again}`);
        shown += chosen ? 1 : 0;
      }
      figure.hidden = shown === 0;
      figure.querySelector(".legend")?.remove();
      if (shown) figure.append(legend(figure));
    }
  }

  function legend(figure) {
    const list = document.createElement("ul");
    list.className = "legend";
    for (const path of figure.querySelectorAll("path[data-name]:not([hidden])")) {
      const item = document.createElement("li");
      item.className = path.getAttribute("class").replace("curve", "").trim();
      item.textContent = path.dataset.name;
      list.append(item);
    }
    return list;
  }

  for (const value of (location.hash.match(/need=([^&]*)/) || ["", ""])[1].split(",")) {
    const box = form.querySelector(`input[value="${CSS.escape(value)}"]`);
    if (box) box.checked = true;
  }
  for (const one of [form, choices, overlays]) one.hidden = false;
  form.addEventListener("input", show);
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(show));
  show();
})();
