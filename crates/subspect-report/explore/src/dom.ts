// Elements without markup: text is always set as text, so that no label can become an element.

type Child = Node | string | null | false | undefined;
type Attributes = Record<string, string | number | boolean | EventListener | undefined>;

const SVG = "http://www.w3.org/2000/svg";

function fill(node: Element, attributes: Attributes, children: Child[]): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined) node.setAttribute(name, String(value));
  }
  for (const child of children) if (child) node.append(child);
}

/** An HTML element; attributes that are functions listen to the event of that name. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K, attributes: Attributes = {}, ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  fill(node, attributes, children);
  return node;
}

/** An SVG element. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K, attributes: Attributes = {}, ...children: Child[]
): SVGElementTagNameMap[K] {
  const node = document.createElementNS(SVG, tag) as SVGElementTagNameMap[K];
  fill(node, attributes, children);
  return node;
}

/** A choice among named values. */
export function choice<T extends string>(
  label: string, values: readonly (readonly [T, string])[], now: T, onChange: (value: T) => void,
): HTMLLabelElement {
  const select = h("select", {
    change: () => onChange(select.value as T),
  }, ...values.map(([value, text]) => h("option", { value, selected: value === now }, text)));
  return h("label", { class: "x-choice" }, label, select);
}

/** A computed colour of the page. */
export function colourOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
