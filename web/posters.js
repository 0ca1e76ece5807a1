// A picture for every item: its own, or one drawn from its data. The same item always looks the same.

const SIZE = { width: 200, height: 300 };
const MARGIN = 14;
const LETTERS = { "font-size": 18, "font-weight": 700, "font-family": "system-ui, sans-serif" };
const SVG = "http://www.w3.org/2000/svg";

/** The picture of an item with `item_id`, `title`, `categories` and perhaps `picture`. */
export function poster(item) {
  if (item.picture_url) {
    const image = Object.assign(new Image(SIZE.width, SIZE.height), {
      src: item.picture_url, alt: "", loading: "lazy", className: "poster",
    });
    // What cannot be shown is drawn instead.
    image.addEventListener("error", () => image.replaceWith(drawn(item)), { once: true });
    return image;
  }
  return drawn(item);
}

function drawn(item) {
  const hue = hash(item.categories[0] ?? item.title) % 360;
  const random = numbersFrom(hash(item.item_id));
  const svg = shape("svg", { viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, class: "poster", "aria-hidden": "true" });
  svg.append(shape("rect", { ...SIZE, fill: `hsl(${hue} 45% 24%)` }));
  for (let ring = 0; ring < 5; ring += 1) {
    svg.append(shape("circle", {
      cx: Math.round(random() * SIZE.width),
      cy: Math.round(random() * SIZE.height * 0.65),
      r: Math.round(25 + random() * 85),
      fill: `hsl(${(hue + ring * 22) % 360} 60% ${Math.round(30 + random() * 30)}%)`,
      "fill-opacity": "0.45",
    }));
  }
  svg.append(shape("rect", { y: 196, width: SIZE.width, height: 104, fill: `hsl(${hue} 45% 12%)`, "fill-opacity": "0.78" }));
  lines(item.title).forEach((line, row) => {
    const text = shape("text", { x: MARGIN, y: 224 + row * 23, fill: "#fff", ...LETTERS });
    text.textContent = line;
    svg.append(text);
  });
  return svg;
}

/** A title in at most three lines that end before the edge. */
function lines(title) {
  const made = [""];
  for (const word of title.split(/\s+/)) {
    const longer = `${made.at(-1)} ${word}`.trim();
    if (made.at(-1) === "" || fits(longer)) made[made.length - 1] = longer;
    else made.push(word);
  }
  const shown = made.slice(0, 3);
  if (made.length > 3) shown[2] = `${shown[2]} …`;
  return shown.map(cut);
}

/** A line without what is too much. */
function cut(line) {
  if (fits(line)) return line;
  let kept = [...line.replace(/ …$/, "")];
  while (kept.length > 1 && !fits(`${kept.join("").trimEnd()}…`)) kept = kept.slice(0, -1);
  return `${kept.join("").trimEnd()}…`;
}

const ruler = document.createElement("canvas").getContext("2d");
ruler.font = `${LETTERS["font-weight"]} ${LETTERS["font-size"]}px ${LETTERS["font-family"]}`;

function fits(line) {
  return ruler.measureText(line).width <= SIZE.width - 2 * MARGIN;
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** FNV-1a, 32 bits. */
function hash(text) {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ character.codePointAt(0), 0x01000193) >>> 0;
  return value;
}

/** Numbers from 0 to 1 that only depend on the seed (mulberry32). */
function numbersFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
