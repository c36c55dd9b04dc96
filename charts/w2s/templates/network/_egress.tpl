{{- define "w2s.dns" -}}
- to:
    {{- toYaml .Values.networkPolicy.dns.to | nindent 4 }}
  ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- end }}

{{/* Ports of the stores' endpoints, each once, as a JSON list. */}}
{{- define "w2s.storePorts" -}}
{{- $ports := .Values.networkPolicy.store.ports -}}
{{- if not $ports -}}
{{- range .Values.stores -}}
{{- $url := urlParse (.settings.endpoint | default "https://aws") -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- $ports = append $ports (int ($port | default (ternary 80 443 (eq $url.scheme "http")))) -}}
{{- if (.credentials | default dict).serviceAccountName -}}
{{- $ports = append $ports 443 -}}
{{- end -}}
{{- end -}}
{{- if or (not $ports) .Values.controller.credentials.webIdentity.roleArn .Values.controller.serviceAccount.annotations -}}
{{- $ports = append $ports 443 -}}
{{- end -}}
{{- end -}}
{{- $seen := list -}}
{{- range $ports -}}
{{- if not (has (int .) $seen) -}}
{{- $seen = append $seen (int .) -}}
{{- end -}}
{{- end -}}
{{- toJson $seen -}}
{{- end }}

{{/* Egress to the peers of the stores; .more: further ports. */}}
{{- define "w2s.store" -}}
{{- $ports := concat (include "w2s.storePorts" .root | fromJsonArray) .more -}}
{{- $seen := list -}}
{{- range $ports }}{{ if not (has (int .) $seen) }}{{ $seen = append $seen (int .) }}{{ end }}{{ end -}}
- {{ with .root.Values.networkPolicy.store.to -}}
  to:
    {{- toYaml . | nindent 4 }}
  {{ end -}}
  ports:
    {{- range $seen }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end }}
