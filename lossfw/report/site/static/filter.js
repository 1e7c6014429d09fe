"use strict";
// Boxes that choose among cards: of the gallery, and of the page "Choose a loss", which also draws
// the curves of what is left. The choice is kept in the address.
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  // Only the page of choice has these.
  const choices = document.getElementById("choices");
  const overlays = document.getElementById("overlays");
  const cards = [...document.querySelectorAll(choices ? "#choices > li" : ".chapter .cards > li")];
  const count = document.getElementById("count");
  // Claims and needs are wanted together; of the other facets one value is enough.
  const TOGETHER = ["claim", "need"];
  const COLOURS = 6;

  const words = (card, name) => (card.dataset[name] || "").split(" ");
  const typed = () => form.elements.text ? form.elements.text.value.trim().toLowerCase() : "";

  function chosen() {
    const by = {};
    for (const box of form.querySelectorAll("fieldset input:checked")) {
      (by[box.name] = by[box.name] || []).push(box.value);
    }
    return by;
  }

  function fits(card, by, text) {
    if (choices && !by.need) return false;
    if (text && !card.dataset.text.includes(text)) return false;
    return Object.entries(by).every(([name, values]) => {
      if (name === "parameters") return true;
      const own = words(card, name).concat(name === "claim" && by.parameters ? words(card, "some") : []);
      const has = value => own.includes(value);
      return TOGETHER.includes(name) ? values.every(has) : values.some(has);
    });
  }

  function remember(by, text) {
    const parts = Object.entries(by).map(([name, values]) => `${name}=${values.map(encodeURIComponent).join(",")}`);
    if (text) parts.push(`text=${encodeURIComponent(text)}`);
    history.replaceState(null, "", parts.length ? `#${parts.join("&")}` : location.pathname + location.search);
  }

  function show() {
    const by = chosen();
    const text = typed();
    for (const card of cards) card.hidden = !fits(card, by, text);
    for (const chapter of document.querySelectorAll(".chapter")) {
      chapter.hidden = !chapter.querySelector("li:not([hidden])");
    }
    const left = cards.filter(card => !card.hidden);
    if (!choices) count.textContent = `${left.length} of ${cards.length} components`;
    else count.textContent = by.need ? `${left.length} losses give a reason for each` : "nothing ticked";
    if (overlays) draw(left.map(card => card.dataset.name));
    remember(by, text);
  }

  function draw(names) {
    for (const figure of overlays.children) {
      let shown = 0;
      for (const path of figure.querySelectorAll("path[data-name]")) {
        const left = names.includes(path.dataset.name);
        path.toggleAttribute("hidden", !left);
        // Beyond the colours curves are dashed.
        const again = shown >= COLOURS ? " again" : "";
        if (left) path.setAttribute("class", `curve c${shown % COLOURS}${again}`);
        shown += left ? 1 : 0;
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

  function restore() {
    for (const part of location.hash.slice(1).split("&")) {
      const [name, value = ""] = part.split("=");
      if (name === "text" && form.elements.text) form.elements.text.value = decodeURIComponent(value);
      for (const one of value.split(",").map(decodeURIComponent)) {
        const box = [...form.querySelectorAll("fieldset input")].find(b => b.name === name && b.value === one);
        if (box) box.checked = true;
      }
    }
  }

  restore();
  for (const part of [form, choices, overlays]) if (part) part.hidden = false;
  // On a phone the boxes would push the cards a screen down.
  const facets = form.querySelector(".facets");
  if (facets) facets.open = matchMedia("(min-width: 60rem)").matches || form.querySelector("fieldset input:checked") !== null;
  form.addEventListener("input", show);
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(show));
  show();
})();
