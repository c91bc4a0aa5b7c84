// Everything on the page is readable without this: it adds the copy button and the readout of the maps.
(function () {
  "use strict";

  function copied(button, ok) {
    button.textContent = ok ? "Copied" : "Select and copy";
    setTimeout(function () { button.textContent = "Copy"; }, 1600);
  }

  function select(node) {
    var range = document.createRange();
    range.selectNodeContents(node);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  }

  document.querySelectorAll("button[data-copy]").forEach(function (button) {
    var source = document.getElementById(button.dataset.copy);
    button.addEventListener("click", function () {
      // A page opened from disk may be refused the clipboard: then the text is selected instead.
      if (navigator.clipboard) {
        navigator.clipboard.writeText(source.textContent).then(
          function () { copied(button, true); },
          function () { select(source); copied(button, false); });
      } else {
        select(source);
        copied(button, false);
      }
    });
  });

  function readable(map) {
    var svg = map.querySelector("svg");
    var source = map.querySelector("script[type='application/json']");
    if (!svg || !source) return;
    var data = JSON.parse(source.textContent);
    var out = map.querySelector(".readout");
    // Between two networks the columns have names of their own, and every cell has a value of its own.
    var columns = data.columns || data.names;
    var n = data.names.length, m = columns.length;
    var left = +svg.dataset.left, top = +svg.dataset.top, cell = +svg.dataset.cell;
    var cursor = document.createElementNS(svg.namespaceURI, "rect");
    var row = -1, column = -1;
    cursor.setAttribute("class", "cursor");
    cursor.setAttribute("width", cell);
    cursor.setAttribute("height", cell);
    // The readout says what the titles say, at once and for the keyboard too.
    svg.querySelectorAll("rect > title").forEach(function (title) { title.remove(); });

    function show(i, j) {
      if (i === row && j === column) return;
      row = i;
      column = j;
      cursor.setAttribute("x", left + j * cell);
      cursor.setAttribute("y", top + i * cell);
      svg.appendChild(cursor);
      var a = Math.max(i, j), b = Math.min(i, j);
      var at = data.columns ? i * m + j : a * (a + 1) / 2 + b;
      var value = document.createElement("b");
      value.textContent = data.values[at];
      out.replaceChildren(data.names[i] + " \u00d7 " + columns[j] + "  ", value);
    }

    function clear() {
      row = column = -1;
      cursor.remove();
      out.replaceChildren();
    }

    svg.addEventListener("pointermove", function (event) {
      var box = svg.getBoundingClientRect();
      var scale = svg.viewBox.baseVal.width / box.width;
      var j = Math.floor(((event.clientX - box.left) * scale - left) / cell);
      var i = Math.floor(((event.clientY - box.top) * scale - top) / cell);
      if (i >= 0 && j >= 0 && i < n && j < m) show(i, j);
      else if (document.activeElement !== svg) clear();
    });
    svg.addEventListener("pointerleave", function () {
      if (document.activeElement !== svg) clear();
    });
    svg.setAttribute("tabindex", "0");
    svg.addEventListener("focus", function () { if (row < 0) show(n - 1, 0); });
    svg.addEventListener("blur", clear);
    svg.addEventListener("keydown", function (event) {
      var step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (!step) return;
      event.preventDefault();
      show(Math.min(n - 1, Math.max(0, row + step[0])), Math.min(m - 1, Math.max(0, column + step[1])));
    });
  }

  document.querySelectorAll(".map").forEach(readable);
})();
