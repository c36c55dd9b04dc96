{{/* What the controller may do where it watches, and nothing more: it creates no pods itself, reads no Secrets, and never touches nodes. */}}
{{- define "w2s.rules" -}}
- apiGroups: [w2s.dev]
  resources: [weaktostrongexperiments]
  verbs: [get, list, watch, delete]      # delete: spec.ttlSecondsAfterFinished
- apiGroups: [w2s.dev]
  resources: [weaktostrongexperiments/status]
  verbs: [patch]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]   # server-side apply is patch, and create where nothing is
- apiGroups: [""]
  resources: [services]                  # one, headless, for a training on several nodes
  verbs: [create, patch]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [list, watch, create]           # list: what the Job controller says of pods that a quota refuses
{{- if .Values.kueue.enabled }}
- apiGroups: [kueue.x-k8s.io]
  resources: [workloads]                 # why a Job waits
  verbs: [list, watch]
{{- end }}
{{- end }}
