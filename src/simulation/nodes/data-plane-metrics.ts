import type { DataPlane } from "./data-plane.ts";

/** Request counts by path and status code, kept by whoever gives the data plane its mouth. */
export type RequestCounts = ReadonlyMap<string, number>;

const escape = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

/** The Prometheus text exposition of one data plane (names: interfaces.md, "What a data plane offers"). */
export function renderMetrics(plane: DataPlane, requests: RequestCounts): string {
  const { node, pop, version } = plane.identity;
  const own = `node="${escape(node)}",pop="${escape(pop)}"`;
  const up = plane.health === "Healthy" ? 1 : 0;
  return [
    ...family("pop_active_sessions", "gauge", "Sessions that the node holds.", [`pop_active_sessions{${own}} ${plane.sessions.length}`]),
    ...family(
      "pop_session_reconnect_seconds",
      "histogram",
      "Time from the loss of a session to its return, by the node that it came from.",
      plane.returns.lines("pop_session_reconnect_seconds", own),
    ),
    ...family(
      "pop_tunnel_up",
      "gauge",
      "1 while the site's tunnel is up.",
      plane.tunnels.map(({ site, tunnel }) => `pop_tunnel_up{${own},site="${escape(site)}",tunnel="${escape(tunnel)}"} ${up}`),
    ),
    ...family("pop_build_info", "gauge", "Always 1; the version in its label.", [`pop_build_info{${own},version="${escape(version)}"} 1`]),
    ...family("pop_errors_total", "counter", "Errors met while serving.", [`pop_errors_total{${own}} ${plane.errors}`]),
    ...family("pop_draining", "gauge", "1 while a drain holds.", [`pop_draining{${own}} ${plane.draining ? 1 : 0}`]),
    ...family("pop_content_info", "gauge", "Always 1; the content version in its label.", [
      `pop_content_info{${own},version="${escape(plane.contentVersion)}"} 1`,
    ]),
    ...family("pop_content_healthy", "gauge", "0 when the loaded content is bad.", [
      `pop_content_healthy{${own}} ${plane.contentHealthy ? 1 : 0}`,
    ]),
    ...family("pop_content_errors_total", "counter", "Errors met while using the content.", [
      `pop_content_errors_total{${own}} ${plane.contentErrors}`,
    ]),
    ...family(
      "pop_requests_total",
      "counter",
      "Requests answered, by path and status code.",
      [...requests].map(([key, count]) => `pop_requests_total{${own},${key}} ${count}`),
    ),
    "",
  ].join("\n");
}

function family(name: string, type: "gauge" | "counter" | "histogram", help: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];
}
