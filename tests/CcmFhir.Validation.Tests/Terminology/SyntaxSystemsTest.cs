using System.Text;
using CcmFhir.Validation.Definitions;
using CcmFhir.Validation.Terminology;

namespace CcmFhir.Validation.Tests.Terminology;

public sealed class SyntaxSystemsTest
{
    private static readonly TerminologySet R4 = new(BaseDefinitions.R4);

    [Theory]
    [InlineData("mg")]
    [InlineData("mm[Hg]")]
    [InlineData("kg/m2")]
    [InlineData("10*9/L")]
    [InlineData("10*-6")]
    [InlineData("/min")]
    [InlineData("{breaths}/min")]
    [InlineData("1")]
    [InlineData("%")]
    [InlineData("[in_i]")]
    [InlineData("[lb_av]")]
    [InlineData("[degF]")]
    [InlineData("Cel")]
    [InlineData("mL/min/{1.73_m2}")]
    [InlineData("ug/(24.h)")]
    [InlineData("cm[H2O].s.L-1")]
    [InlineData("mol{creat}")]
    [InlineData("dam")]
    [InlineData("KiBy")]
    [InlineData("m+2")]
    [InlineData("[m/s2/Hz^(1/2)]")]
    [InlineData("{score}")]
    [InlineData("/100{WBCs}")]
    [InlineData("B[10.nV]")]
    public void A_unit_of_UCUM_is_known(string unit) => Find("http://unitsofmeasure.org", unit).ShouldBe(Membership.In);

    [Theory]
    [InlineData("")]
    [InlineData("minutes")]
    [InlineData("lbs")]
    [InlineData("mmHg")]
    [InlineData("kmin")]
    [InlineData("mg/")]
    [InlineData("mg//L")]
    [InlineData("(mg")]
    [InlineData("mg)")]
    [InlineData("mg{a")]
    [InlineData("{a}{b}")]
    [InlineData("mg dL")]
    [InlineData("m-")]
    [InlineData("cc")]
    [InlineData("µg")]
    [InlineData("Mg/DL2x")]
    [InlineData("((((((((((((((((((((m))))))))))))))))))))")]
    public void What_is_no_unit_is_not(string unit) =>
        Find("http://unitsofmeasure.org", unit).ShouldBe(Membership.NotIn);

    [Theory]
    [InlineData("en")]
    [InlineData("EN-us")]
    [InlineData("zh-Hans-CN")]
    [InlineData("es-419")]
    [InlineData("sl-rozaj-biske-1994")]
    [InlineData("de-CH-1901")]
    [InlineData("zh-cmn-Hans")]
    [InlineData("en-a-bbb-x-a-ccc")]
    [InlineData("x-whatever")]
    [InlineData("i-klingon")]
    [InlineData("qaa")]
    [InlineData("grc")]
    public void A_language_tag_is_known(string tag) => Find("urn:ietf:bcp:47", tag).ShouldBe(Membership.In);

    [Theory]
    [InlineData("")]
    [InlineData("english")]
    [InlineData("xx")]
    [InlineData("en-UK")]
    [InlineData("en_US")]
    [InlineData("en-")]
    [InlineData("-en")]
    [InlineData("en--US")]
    [InlineData("x-")]
    [InlineData("de-abcdefghi")]
    public void What_is_no_language_tag_is_not(string tag) => Find("urn:ietf:bcp:47", tag).ShouldBe(Membership.NotIn);

    [Theory]
    [InlineData("application/pdf")]
    [InlineData("application/fhir+json")]
    [InlineData("text/plain; charset=UTF-8")]
    [InlineData("text/plain;charset=\"a;b\\\"\"")]
    [InlineData("application/vnd.openxmlformats-officedocument.wordprocessingml.document")]
    [InlineData("x-conference/x-cooltalk")]
    [InlineData("application/dicom; variant=DICOM QIDO-RS")]
    [InlineData("json")]
    public void A_MIME_type_is_known(string type) => Find("urn:ietf:bcp:13", type).ShouldBe(Membership.In);

    [Theory]
    [InlineData("")]
    [InlineData("pdf")]
    [InlineData("application/")]
    [InlineData("/pdf")]
    [InlineData("picture/png")]
    [InlineData("text/pl ain")]
    [InlineData("text/plain;")]
    [InlineData("text/plain;charset")]
    [InlineData("text/plain;charset=\"open")]
    public void What_is_no_MIME_type_is_not(string type) => Find("urn:ietf:bcp:13", type).ShouldBe(Membership.NotIn);

    [Theory]
    [InlineData("urn:iso:std:iso:3166", "US", Membership.In)]
    [InlineData("urn:iso:std:iso:3166", "USA", Membership.In)]
    [InlineData("urn:iso:std:iso:3166", "840", Membership.In)]
    [InlineData("urn:iso:std:iso:3166", "UK", Membership.NotIn)]
    [InlineData("urn:iso:std:iso:3166:-2", "US-NY", Membership.In)]
    [InlineData("urn:iso:std:iso:3166:-2", "US-ZZ", Membership.NotIn)]
    [InlineData("urn:iso:std:iso:4217", "USD", Membership.In)]
    [InlineData("urn:iso:std:iso:4217", "ZWG", Membership.In)]
    [InlineData("urn:iso:std:iso:4217", "US$", Membership.NotIn)]
    [InlineData("http://snomed.info/sct", "nonsense", Membership.NotKnown)]
    [InlineData("http://example.org/nobody-knows", "a", Membership.NotKnown)]
    [InlineData("http://hl7.org/fhir/administrative-gender", "female", Membership.In)]
    [InlineData("http://hl7.org/fhir/administrative-gender", "Female", Membership.NotIn)]
    public void Other_systems_are_listed_or_not_known(string system, string code, Membership membership) =>
        Find(system, code).ShouldBe(membership);

    private static Membership Find(string system, string code) =>
        R4.CodeSystem(system).Find(Encoding.UTF8.GetBytes(code));
}
