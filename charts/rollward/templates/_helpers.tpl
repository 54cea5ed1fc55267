{{/* What selects the pods; never changed, because a Deployment's selector cannot be. */}}
{{- define "rollward.selector" -}}
app.kubernetes.io/name: rollward
app.kubernetes.io/component: operator
{{- end }}

{{- define "rollward.gatewaySelector" -}}
app.kubernetes.io/name: rollward
app.kubernetes.io/component: gateway
{{- end }}

{{/* Whose pods answer devices. */}}
{{- define "rollward.devicesSelector" -}}
{{- if .Values.inventory.embedded.enabled }}{{ include "rollward.selector" . }}{{ else }}{{ include "rollward.gatewaySelector" . }}{{ end }}
{{- end }}

{{/* "yes" where there is an inventory, and so a gateway. */}}
{{- define "rollward.withDevices" -}}
{{- if or .Values.inventory.embedded.enabled .Values.inventory.postgresql.secretName -}}yes{{- end -}}
{{- end }}

{{/* "yes" where notices may be sent. */}}
{{- define "rollward.withNotices" -}}
{{- if or .Values.notices.hosts .Values.notices.privateHosts -}}yes{{- end -}}
{{- end }}

{{- define "rollward.labels" -}}
app.kubernetes.io/name: rollward
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- end }}

{{/* The same on one line, for the generated templates, whose sources are written so. */}}
{{- define "rollward.flowLabels" -}}
{{ include "rollward.labels" . | fromYaml | toJson }}
{{- end }}

{{- define "rollward.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* "yes" where an object (apiVersion, kind, name; cluster-wide) does not exist, or is of this release. Empty: somebody else's. */}}
{{- define "rollward.ours" -}}
{{- $found := lookup .apiVersion .kind "" .name -}}
{{- $owner := dig "metadata" "annotations" (dict) $found -}}
{{- if or (empty $found) (and (eq (get $owner "meta.helm.sh/release-name") .root.Release.Name) (eq (get $owner "meta.helm.sh/release-namespace") .root.Release.Namespace)) -}}
yes
{{- end -}}
{{- end }}

{{/* What stands in the Secret of inventory.postgresql (its values), as it is to be written. */}}
{{- define "rollward.inventoryUrl" -}}
postgresql://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full{{ if .caSecretName }}&sslrootcert=/etc/rollward/postgresql/ca.crt{{ end }}
{{- end }}

{{/* Fails where a Secret is not there, or lacks one of its keys: value (which names it), name, keys, command (what kubectl create secret is given). */}}
{{- define "rollward.requireSecret" -}}
{{- $namespace := .root.Release.Namespace }}
{{- $found := lookup "v1" "Secret" $namespace .name }}
{{- $create := printf "kubectl -n %s create secret %s" $namespace .command }}
{{- $later := "Where something makes it later (external-secrets, cert-manager), or you may not read Secrets, write checkSecrets=false: the pods wait for it then" }}
{{- if not $found }}
{{- $first := ternary "" (printf "kubectl create namespace %s && " $namespace) (not (empty (lookup "v1" "Namespace" "" $namespace))) }}
{{- fail (printf "%s names the Secret %s, and there is none in namespace %s; no pod would start. Create it: %s%s. %s" .value .name $namespace $first $create $later) }}
{{- end }}
{{- range .keys }}
{{- if not (hasKey ($found.data | default dict) .) }}
{{- fail (printf "the Secret %s in namespace %s, which %s names, has no key %s (it has %s); no pod would start. Write it again: kubectl -n %s delete secret %s && %s" $.name $namespace $.value . (keys ($found.data | default dict) | sortAlpha | join ", " | default "none") $namespace $.name $create) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The seconds of a duration as 1h30m5s. */}}
{{- define "rollward.seconds" -}}
{{- $seconds := 0 }}
{{- range regexFindAll "[0-9]+[hms]" . -1 }}
{{- $unit := get (dict "h" 3600 "m" 60 "s" 1) (substr (sub (len .) 1 | int) (len .) .) }}
{{- $seconds = add $seconds (mul (regexFind "[0-9]+" . | atoi) $unit) }}
{{- end }}
{{- $seconds }}
{{- end }}

{{/* A quantity (100m, 0.5, 512Mi, 1G) as a number. */}}
{{- define "rollward.amount" -}}
{{- $units := dict "" 1 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976 }}
{{- $unit := regexFind "[A-Za-z]+$" (toString .) }}
{{- $number := toString . | trimSuffix $unit | float64 }}
{{- if eq $unit "m" }}{{ divf $number 1000 }}{{ else }}{{ mulf $number (get $units $unit) }}{{ end }}
{{- end }}

{{/* What values.yaml says of gateway: what differs from it was written by somebody. Templates cannot read values.yaml; where the two differ, nothing renders. */}}
{{- define "rollward.gatewayDefaults" -}}
# Without an inventory.
clients: { appId: rollward.client, perAccount: 200000 }
pollInterval: 5m
pollIntervalNear: 10s
service: { type: ClusterIP, port: 443, annotations: {} }
# Without inventory.postgresql.
apart:
  replicas: 2
  logLevel: info
  resources:
    requests: { cpu: 100m, memory: 160Mi }
    limits: { memory: 512Mi }
  podDisruptionBudget: { enabled: true }
  spread: true
  affinity: {}
  nodeSelector: {}
  tolerations: []
  priorityClassName: ""
  podAnnotations: {}
  podLabels: {}
{{- end }}
