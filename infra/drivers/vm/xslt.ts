/**
 * What the provider's schema can't say is said in XSLT, which it applies to the XML it made (xsltproc). libvirt's
 * formats: https://libvirt.org/formatdomain.html, https://libvirt.org/formatnetwork.html
 */
function stylesheet(templates: string): string {
  return `<?xml version="1.0"?>
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output omit-xml-declaration="yes"/>
  <xsl:template match="node()|@*"><xsl:copy><xsl:apply-templates select="node()|@*"/></xsl:copy></xsl:template>
${templates}
</xsl:stylesheet>
`;
}

/** Of the disk that the grader sits on, as the lab host reads it in /sys/block. */
export const seatSerial = 'handwired-seat';

/** No screen, no guest agent, no USB, no balloon; the serial console goes to a file; the overlay is thrown away anyway. */
export const domainXslt = (consoleFile: string): string =>
  stylesheet(`  <xsl:template match="/domain/devices/graphics|/domain/devices/video|/domain/devices/channel"/>
  <xsl:template match="/domain/devices">
    <xsl:copy>
      <xsl:apply-templates select="node()|@*"/>
      <serial type="file"><source path="${escapeXml(consoleFile)}" append="on"/><target port="0"/></serial>
      <controller type="usb" model="none"/>
      <memballoon model="none"/>
    </xsl:copy>
  </xsl:template>
  <xsl:template match="/domain/devices/disk[1]/driver">
    <xsl:copy><xsl:apply-templates select="@*"/><xsl:attribute name="cache">unsafe</xsl:attribute></xsl:copy>
  </xsl:template>
  <xsl:template match="/domain/devices/disk[2]">
    <xsl:copy><xsl:apply-templates select="node()|@*"/><readonly/></xsl:copy>
  </xsl:template>
  <xsl:template match="/domain/devices/disk[3]">
    <xsl:copy><xsl:apply-templates select="node()|@*"/><serial>${seatSerial}</serial><readonly/></xsl:copy>
  </xsl:template>`);

/** No dnsmasq: nothing here asks for an address or a name. No STP: it would hold the only port back for 4 s. */
export const networkXslt = (mark: string): string =>
  stylesheet(`  <xsl:template match="/network/dns"/>
  <xsl:template match="/network/bridge/@stp"><xsl:attribute name="stp">off</xsl:attribute></xsl:template>
  <xsl:template match="/network">
    <xsl:copy>
      <xsl:comment> ${escapeXml(mark).replaceAll('--', '- ')} </xsl:comment>
      <xsl:apply-templates select="node()|@*"/>
      <dns enable="no"/>
    </xsl:copy>
  </xsl:template>`);

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '{': '{{',
  '}': '}}',
};

/** For text and for attributes, in which XSLT also evaluates braces. */
const escapeXml = (text: string): string => text.replaceAll(/[&<>"'{}]/g, (character) => entities[character] ?? '');
