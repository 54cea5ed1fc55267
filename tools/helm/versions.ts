// The versions also stand in tools/helm/go.mod; a unit test keeps the two in step.
export const HELM_VERSION = "4.3.1";
export const KUBECONFORM_VERSION = "0.8.0";

/** Where the kinds ServiceMonitor, PodMonitor and PrometheusRule come from, with the checksum of Go's checksum database. */
export const MONITORING_KINDS = {
  module: "github.com/prometheus-operator/prometheus-operator",
  version: "v0.85.0",
  sum: "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
} as const;
