"use strict";
// Boxes that choose among the cards of the gallery. The choice is kept in the address.
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const cards = [...document.querySelectorAll(".chapter .cards > li")];
  const count = document.getElementById("count");

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
    if (text && !card.dataset.text.includes(text)) return false;
    return Object.entries(by).every(([name, values]) => {
      if (name === "parameters") return true;
      const own = words(card, name).concat(name === "claim" && by.parameters ? words(card, "some") : []);
      const has = value => own.includes(value);
      // Claims are wanted together; of the other facets one value is enough.
      return name === "claim" ? values.every(has) : values.some(has);
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
    count.textContent = `${left.length} of ${cards.length} components`;
    remember(by, text);
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
  form.hidden = false;
  // On a phone the boxes would push the cards a screen down.
  const facets = form.querySelector(".facets");
  if (facets) facets.open = matchMedia("(min-width: 60rem)").matches || form.querySelector("fieldset input:checked") !== null;
  form.addEventListener("input", show);
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(show));
  show();
})();
