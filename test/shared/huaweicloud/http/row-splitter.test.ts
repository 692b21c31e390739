import fc from "fast-check";
import { expect, test } from "vitest";
import { BodyTooLarge } from "../../../../shared/huaweicloud/http/response-body.ts";
import { createRowSplitter } from "../../../../shared/huaweicloud/http/row-splitter.ts";

/** Splits a text that arrives in pieces of the given lengths. If the text is longer than these pieces, the lengths repeat. */
function split(text: string, lengths: readonly number[] = [text.length]) {
  const splitter = createRowSplitter("snapshots");
  let start = 0;
  for (let piece = 0; start < text.length; piece += 1) {
    const end = start + (lengths[piece % lengths.length] as number);
    splitter.add(text.slice(start, end));
    start = end;
  }
  return splitter.end();
}

const rows = fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })));

test("the row splitter returns the rows of a list response for any indentation and any division of the body into pieces", () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 });
  const indent = fc.constantFrom(undefined, 1, "\t");
  fc.assert(
    fc.property(rows, rows, lengths, indent, (list, others, pieces, space) => {
      const body = { count: list.length, others, 'snapshots":[{': [{}], snapshots: list, links: [{ href: "[{" }] };
      const found = split(JSON.stringify(body, undefined, space), pieces);
      expect(found.rows?.map((row) => JSON.parse(row))).toEqual(JSON.parse(JSON.stringify(list)));
      expect(JSON.parse(found.text)).toEqual(JSON.parse(JSON.stringify({ ...body, snapshots: [] })));
    }),
  );
});

test.each([
  '{"error_code":"DWS.5000","error_msg":"[{"}',
  '{"snapshots":null}',
  '{"snapshots":{"id":1}}',
  '{"snapshots":["a",1,[{}]]}',
  '[{"snapshots":[{}]}]',
  '{"clusters":[{}]}',
  '"{"',
  "<html>{[{",
  "",
])("the row splitter finds no rows in this body and returns it unchanged: '%s'", (text) => {
  expect(split(text, [3])).toEqual({ text, rows: [] });
});

test("the row splitter does not remove a null or an incomplete row from the text, so the caller can reject the list response", () => {
  expect(split('{"snapshots":[{"id":1},null,{"id":2}]}')).toEqual({
    text: '{"snapshots":[null,]}',
    rows: ['{"id":1}', '{"id":2}'],
  });
  expect(split('{"snapshots":[{"id":1},{"id":')).toEqual({ text: '{"snapshots":[{"id":', rows: ['{"id":1}'] });
});

test.each([
  ["a list response with a row of 200 KiB", `{"snapshots":[{"a":"${"x".repeat(200_000)}"}]}`],
  ["a list response with more than 64 KiB before the rows", `{"padding":"${"x".repeat(70_000)}","snapshots":[]}`],
  ["a list response with more than 250,000 rows", `{"snapshots":[${"{},".repeat(250_001)}{}]}`],
])("the row splitter rejects %s", (_what, text) => {
  expect(() => split(text, [65_536])).toThrow(BodyTooLarge);
});
