{{/* The file that the controller reads: the values of the same names, without those that say nothing. */}}
{{- define "w2s.installation" -}}
{{- $workers := dict -}}
{{- range $name, $value := .Values.workers -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $_ := set $workers $name $value -}}
{{- end -}}
{{- end -}}
{{- $installation := dict "stores" .Values.stores "pools" .Values.pools "workers" $workers "namespaces" .Values.namespaces -}}
{{- if .Values.kueue.enabled -}}
{{- $_ := set $installation "kueue" true -}}
{{- end -}}
{{- with .Values.defaultStore -}}
{{- $_ := set $installation "defaultStore" . -}}
{{- end -}}
{{- toYaml $installation -}}
{{- end }}
