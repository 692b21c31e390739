/** Finds the route of a request. A fixed path segment such as `detail` has priority over a parameter such as `{snapshot_id}`. */
import type { Route, Service } from "./http.ts";

/** The route of a request, and the values of its path parameters. */
export interface RouteMatch {
  service: Service;
  route: Route;
  params: Record<string, string>;
}

interface CompiledRoute {
  service: Service;
  route: Route;
  segments: string[];
}

/** Returns a function that finds the route for a method and a path. That function returns undefined if no route matches. */
export function createRouter(services: readonly Service[]): (method: string, path: string) => RouteMatch | undefined {
  const table = new Map<string, CompiledRoute[]>();
  for (const service of services) {
    for (const route of service.routes) {
      const segments = route.path.split("/").slice(1);
      const key = `${route.method} ${segments.length}`;
      table.set(key, [...(table.get(key) ?? []), { service, route, segments }]);
    }
  }
  const countParameters = (compiled: CompiledRoute) => compiled.segments.filter(isParameter).length;
  for (const routes of table.values()) routes.sort((a, b) => countParameters(a) - countParameters(b));

  return (method, path) => {
    const segments = path.split("/").slice(1);
    for (const { service, route, segments: pattern } of table.get(`${method} ${segments.length}`) ?? []) {
      const params = match(pattern, segments);
      if (params) return { service, route, params };
    }
    return undefined;
  };
}

const isParameter = (segment: string) => segment.startsWith("{");

function match(pattern: string[], segments: string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? "";
    if (!isParameter(part)) {
      if (part !== segment) return undefined;
    } else {
      if (segment === "") return undefined;
      params[part.slice(1, -1)] = segment;
    }
  }
  return params;
}
