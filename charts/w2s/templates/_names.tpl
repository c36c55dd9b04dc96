{{/* Name of the controller's objects: 63 characters at most, for Services and labels. */}}
{{- define "w2s.controller" -}}
{{ .Release.Name | trunc 52 | trimSuffix "-" }}-controller
{{- end }}

{{/* Labels by which the controller's pods are selected. They never change. */}}
{{- define "w2s.selector" -}}
app.kubernetes.io/name: w2s
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end }}

{{/* Labels of every object. Helm adds app.kubernetes.io/managed-by itself. */}}
{{- define "w2s.labels" -}}
app.kubernetes.io/name: w2s
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: w2s
{{- end }}

{{/* .image (repository, tag, digest) as one name; .root: the chart's scope. */}}
{{- define "w2s.image" -}}
{{- with .image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.root.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Where pods of ours run, and how their image is pulled: the controller's, and that of `helm test`. */}}
{{- define "w2s.scheduling" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.controller }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{/* What every container of ours may do. */}}
{{- define "w2s.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
readOnlyRootFilesystem: true
{{- end }}

{{- define "w2s.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* Labels that the controller gives to the pods of every step (controller/api/labels.py). */}}
{{- define "w2s.workers" -}}
app.kubernetes.io/managed-by: w2s
{{- end }}

{{- define "w2s.training" -}}
matchLabels:
  {{- include "w2s.workers" . | nindent 2 }}
  w2s.dev/kind: train
{{- end }}
