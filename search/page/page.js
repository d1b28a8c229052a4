"use strict";
// Everything that moves on the page: figures in the reader's colours, tables that sort, the slider over steps.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  // A finger scrolls the page: a figure that took its swipes for zooming would hold it fast.
  const touch = matchMedia("(pointer: coarse)");

  function coloured(layout) {
    const css = getComputedStyle(document.documentElement);
    const [text, line, back] = ["--text", "--line", "--back"].map((name) => css.getPropertyValue(name).trim());
    const copy = structuredClone(layout);
    copy.paper_bgcolor = copy.plot_bgcolor = back;
    copy.font = { ...copy.font, color: text };
    if (touch.matches) copy.dragmode = false;
    const axes = Object.keys(copy).filter((name) => /^[xy]axis\d*$/.test(name));
    for (const name of new Set([...axes, "xaxis", "yaxis"]))
      copy[name] = { automargin: true, exponentformat: "e", ...copy[name], gridcolor: line, zerolinecolor: line, linecolor: line };
    return copy;
  }

  function draw(place) {
    const figure = JSON.parse(place.parentElement.querySelector('script[type="application/json"]').textContent);
    const layout = { ...coloured(figure.layout), height: Number(place.dataset.height) };
    // Its buttons would lie on the legend of a narrow figure, and zooming is not for fingers here.
    const bar = { displaylogo: false, displayModeBar: touch.matches ? false : "hover" };
    Plotly.react(place, figure.data, layout, { ...bar, responsive: true });
  }

  const plots = [...document.querySelectorAll(".plot")];
  plots.forEach(draw);
  dark.addEventListener("change", () => plots.forEach(draw));

  // What stands right above a box that is wider than the screen says so.
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const hint = target.previousElementSibling;
      if (hint?.classList.contains("sideways")) hint.hidden = target.scrollWidth <= target.clientWidth + 1;
    }
  });
  document.querySelectorAll(".wide").forEach((box) => sizes.observe(box));

  // A cell sorts by its data-value where it has one; what is no number comes last in both directions.
  function value(row, column) {
    const cell = row.cells[column];
    return cell.firstElementChild?.dataset.value ?? cell.textContent;
  }

  function compare(one, other, sign) {
    const [a, b] = [Number.parseFloat(one), Number.parseFloat(other)];
    if (Number.isNaN(a) && Number.isNaN(b)) return sign * one.localeCompare(other);
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    return sign * (a - b);
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      head.addEventListener("click", () => {
        const direction = head.getAttribute("aria-sort") === "descending" ? "ascending" : "descending";
        heads.forEach((each) => each.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", direction);
        const sign = direction === "ascending" ? 1 : -1;
        const rows = [...table.tBodies[0].rows];
        rows.sort((a, b) => compare(value(a, column), value(b, column), sign));
        table.tBodies[0].append(...rows);
      });
    });
  }

  // Each column shows its last picture up to the chosen step, or its first one before that.
  const slider = document.getElementById("step");
  if (slider) {
    const steps = JSON.parse(slider.dataset.steps);
    const show = () => {
      const step = steps[Number(slider.value)];
      document.getElementById("step-shown").textContent = `step ${step}`;
      for (const column of document.querySelectorAll(".grid figure")) {
        const pictures = [...column.querySelectorAll("img")];
        const chosen = pictures.filter((each) => Number(each.dataset.step) <= step).pop() ?? pictures[0];
        for (const each of pictures) each.hidden = each !== chosen;
      }
    };
    slider.addEventListener("input", show);
    show();
  }
})();
