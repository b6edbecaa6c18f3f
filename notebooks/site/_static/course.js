// Draw the pages' Mermaid text with the copy of Mermaid beside this file (version 11, MIT), and draw it again when the
// reader switches between light and dark.
const drawings = [...document.querySelectorAll(".highlight-mermaid")].map((block) => {
  const figure = document.createElement("div");
  figure.className = "mermaid-drawing";
  const text = block.textContent;
  block.replaceWith(figure);
  return { figure, text };
});

const isDark = () =>
  document.body.dataset.theme === "dark" ||
  (document.body.dataset.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);

async function draw() {
  mermaid.initialize({ startOnLoad: false, theme: isDark() ? "dark" : "neutral", flowchart: { useMaxWidth: true } });
  for (const [number, { figure, text }] of drawings.entries()) {
    figure.innerHTML = (await mermaid.render(`drawing-${number}`, text)).svg;
  }
}

if (drawings.length) {
  const script = document.createElement("script");
  script.src = new URL("mermaid.min.js", document.querySelector('script[src*="course.js"]').src);
  script.onload = () => {
    draw();
    new MutationObserver(draw).observe(document.body, { attributeFilter: ["data-theme"] });
  };
  document.head.append(script);
}
