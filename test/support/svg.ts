/**
 * Returns the faults in the markup of an SVG picture: tags that are not closed, characters that are not escaped, scripts, and
 * references to other files.
 */
export function markupFaults(svg: string): string[] {
  const faults: string[] = [];
  const open: string[] = [];
  const rest = svg.replace(
    /<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g,
    (_, close, name, attributes, selfClosing) => {
      if (close && open.pop() !== name) faults.push(`</${name}>`);
      if (!close && !selfClosing) open.push(name);
      if (name === "script" || /\s(on\w+|href|src)=/.test(attributes)) faults.push(`<${name}${attributes}>`);
      return "";
    },
  );
  if (open.length > 0) faults.push(`not closed: ${open.join(", ")}`);
  if (/[<]|&(?!(amp|lt|gt|quot|#39);)/.test(rest)) faults.push(`not escaped: ${rest.slice(0, 200)}`);
  if (/url\(|@import/.test(svg)) faults.push("a reference to another file");
  return faults;
}
