"use strict";
// A button on each block of code, which copies what a reader types: no prompts, no output.
(() => {
  // Browsers refuse the clipboard to pages that came over plain HTTP.
  if (!navigator.clipboard) return;

  function typed(block) {
    const copy = block.cloneNode(true);
    if (!copy.querySelector(".gp")) return copy.textContent;
    for (const shown of copy.querySelectorAll(".gp, .go, .gt, .gr, .gh")) shown.remove();
    return copy.textContent.split("\n").filter(line => line.trim()).join("\n") + "\n";
  }

  for (const block of document.querySelectorAll("article div.highlight > pre")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(typed(block));
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    block.parentElement.append(button);
  }
})();
