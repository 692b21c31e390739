/** Sends requests without an SDK. The methods and paths come from the Python SDK. */
import { readFileSync } from "node:fs";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import type { Description, Send } from "./protocol.ts";

/** The committed models, and the versions of the packages that they come from. */
export interface ModelFile extends Description {
  packages: Record<string, string>;
}

export const MODELS_FILE = new URL("models.json", import.meta.url);

export function readModels(): ModelFile {
  return JSON.parse(readFileSync(MODELS_FILE, "utf8"));
}

/** Returns a function that sends requests to a cloud. A request with an invalid access key gets an invalid token instead. */
export function sendDirectly(cloud: EmbeddedCloud): Send {
  const { operations } = readModels();
  return async ({ service, operation, request, credentials }) => {
    const { method, path = "" } = operations[`${service}.${operation}`] ?? {};
    const { body, ...fields } = request;
    const query = new Map(Object.entries({ project_id: cloud.projectId, ...fields }));
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = String(query.get(name));
      query.delete(name);
      return encodeURIComponent(value);
    });
    const pairs = [...query].filter(([name]) => name !== "project_id").map((pair) => pair.map(String));
    const search = pairs.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
    const isValid = credentials.ak === cloud.credentials.ak && credentials.sk === cloud.credentials.sk;
    const response = await fetch(`${cloud.url}${filled}${search && `?${search}`}`, {
      ...(method === undefined ? {} : { method }),
      headers: {
        "content-type": "application/json",
        "x-auth-token": isValid ? (cloud.credentials.token ?? "") : "invalid",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.ok) return { status: response.status, body: text };
    const { error, error_code: code } = JSON.parse(text);
    return { status: response.status, code: code ?? error?.code };
  };
}
