{{/* Parts of the pods of operator and gateway; embedded, the operator's has those of both. */}}

{{/* Where pods go: values (of the workload), selector (its text). */}}
{{- define "rollward.placement" -}}
{{- $selector := .selector }}
{{- with .values }}
{{- if or .spread .affinity }}
affinity:
  {{- $avoidPops := dict "nodeAffinity" (dict "preferredDuringSchedulingIgnoredDuringExecution" (list (dict "weight" 100 "preference" (dict "matchExpressions" (list (dict "key" "rollward.dev/pop" "operator" "DoesNotExist")))))) }}
  {{- toYaml (merge (deepCopy .affinity) (ternary $avoidPops dict .spread)) | nindent 2 }}
{{- end }}
{{- if .spread }}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- $selector | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "rollward.gatewayArgs" -}}
{{- with .Values.gateway -}}
- --gateway-address=:8443
- --poll-interval={{ .pollInterval }}
- --poll-interval-near={{ .pollIntervalNear }}
- --client-app-id={{ .clients.appId }}
- --clients-per-account={{ int .clients.perAccount }}
{{- with .url }}
- --gateway-url={{ . }}
{{- end }}
{{- if .tls.enabled }}
- --gateway-certificate=/etc/rollward/tls/tls.crt
- --gateway-key=/etc/rollward/tls/tls.key
{{- with .tls.clientAuthoritiesSecretName }}
- --gateway-client-authorities=/etc/rollward/client-authorities
{{- end }}
{{- end }}
{{- with .artifacts.existingClaim }}
- --artifacts=/srv/artifacts
{{- end }}
{{- end }}
{{- end }}

{{- define "rollward.noticeArgs" -}}
{{- with .Values.notices -}}
{{- with .hosts }}
- --notice-hosts={{ join "," . }}
{{- end }}
{{- with .privateHosts }}
- --notice-private-hosts={{ join "," . }}
{{- end }}
{{- with .signing.secretName }}
- --notice-key=/etc/rollward/notices/key
{{- end }}
{{- end }}
{{- end }}

{{/* By the environment: neither the list of processes nor the Deployment shows a password, and a command in the pod finds it too. */}}
{{- define "rollward.inventoryEnv" -}}
- name: ROLLWARD_INVENTORY
  {{- if .Values.inventory.embedded.enabled }}
  value: sqlite:/var/lib/rollward/inventory.db
  {{- else }}
  valueFrom:
    secretKeyRef: { name: {{ .Values.inventory.postgresql.secretName }}, key: {{ .Values.inventory.postgresql.key }} }
  {{- end }}
{{- end }}

{{/* Lists of { name, path, readOnly, source }, as JSON { items: […] }: mounts and volumes are made of the same. 288 is 0440. */}}
{{- define "rollward.gatewayFiles" -}}
{{- $files := list }}
{{- with .Values.gateway }}
{{- if .tls.enabled }}
{{- $files = append $files (dict "name" "tls" "path" "/etc/rollward/tls" "readOnly" true "source" (dict "secret" (dict "secretName" .tls.secretName "defaultMode" 288))) }}
{{- with .tls.clientAuthoritiesSecretName }}
{{- $files = append $files (dict "name" "client-authorities" "path" "/etc/rollward/client-authorities" "readOnly" true "source" (dict "secret" (dict "secretName" . "defaultMode" 288))) }}
{{- end }}
{{- end }}
{{- with .artifacts.existingClaim }}
{{- $files = append $files (dict "name" "artifacts" "path" "/srv/artifacts" "readOnly" true "source" (dict "persistentVolumeClaim" (dict "claimName" . "readOnly" true))) }}
{{- end }}
{{- end }}
{{- dict "items" $files | toJson }}
{{- end }}

{{- define "rollward.inventoryFiles" -}}
{{- $files := list }}
{{- if .Values.inventory.embedded.enabled }}
{{- $files = append $files (dict "name" "inventory" "path" "/var/lib/rollward" "readOnly" false "source" (dict "persistentVolumeClaim" (dict "claimName" (.Values.inventory.embedded.existingClaim | default "rollward-inventory")))) }}
{{- /* SQLite sorts in files what is large, and the root file system is read only. */}}
{{- $files = append $files (dict "name" "tmp" "path" "/tmp" "readOnly" false "source" (dict "emptyDir" (dict "sizeLimit" "256Mi"))) }}
{{- else }}
{{- with .Values.inventory.postgresql.caSecretName }}
{{- $files = append $files (dict "name" "postgresql-ca" "path" "/etc/rollward/postgresql" "readOnly" true "source" (dict "secret" (dict "secretName" . "items" (list (dict "key" "ca.crt" "path" "ca.crt"))))) }}
{{- end }}
{{- end }}
{{- dict "items" $files | toJson }}
{{- end }}

{{- define "rollward.operatorFiles" -}}
{{- $files := (include "rollward.inventoryFiles" . | fromJson).items }}
{{- if .Values.inventory.embedded.enabled }}
{{- $files = concat $files (include "rollward.gatewayFiles" . | fromJson).items }}
{{- end }}
{{- with .Values.notices.signing }}
{{- if .secretName }}
{{- $files = append $files (dict "name" "notice-key" "path" "/etc/rollward/notices" "readOnly" true "source" (dict "secret" (dict "secretName" .secretName "defaultMode" 288 "items" (list (dict "key" .key "path" "key"))))) }}
{{- end }}
{{- end }}
{{- dict "items" $files | toJson }}
{{- end }}

{{/* Of a list of files. */}}
{{- define "rollward.volumeMounts" -}}
volumeMounts:
  {{- range . }}
  - { name: {{ .name }}, mountPath: {{ .path }}, readOnly: {{ .readOnly }} }
  {{- end }}
{{- end }}

{{- define "rollward.volumes" -}}
volumes:
  {{- range . }}
  - {{ merge (dict "name" .name) .source | toJson }}
  {{- end }}
{{- end }}
